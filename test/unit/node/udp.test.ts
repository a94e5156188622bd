import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { growReceiveBuffer } from '../../../src/node/udp.ts'

/** A system that takes buffers up to `mostBytes`. */
function system(mostBytes: number) {
  const asked: number[] = []
  return {
    asked,
    setRecvBufferSize(bytes: number) {
      asked.push(bytes)
      if (bytes > mostBytes) throw new Error('ENOBUFS')
    },
  }
}

const KIB = 1024

describe('node/udp.ts growReceiveBuffer', () => {
  it('asks for 2 MiB and takes it where it is given', () => {
    const generous = system(Number.POSITIVE_INFINITY)
    assert.equal(growReceiveBuffer(generous), 2048 * KIB)
    assert.deepEqual(generous.asked, [2048 * KIB])
  })

  it('halves until it is accepted', () => {
    const mean = system(300 * KIB)
    assert.equal(growReceiveBuffer(mean), 256 * KIB)
    assert.deepEqual(mean.asked, [2048 * KIB, 1024 * KIB, 512 * KIB, 256 * KIB])
  })

  it('leaves the buffer of a system that accepts nothing as it is', () => {
    const closed = system(0)
    assert.equal(growReceiveBuffer(closed), undefined)
    assert.equal(closed.asked.at(-1), 64 * KIB)
  })
})
