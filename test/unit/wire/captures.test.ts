import assert from 'node:assert/strict'
import { test } from 'node:test'
import { list, text, written } from '../../../src/wire/msgpack.ts'
import type { Layer } from '../../../src/wire/packet.ts'
import { decodePacket } from '../../../src/wire/packet.ts'
import { decodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { StreamReader } from '../../../src/wire/stream.ts'
import type { Fields } from './vectors.ts'
import { fromHex, memberOf, sealingOf, serfMessageOf, swimMessageOf, Tally, vectorsOf } from './vectors.ts'

/** A layer as the captures name it. */
function layerName(layer: Layer): string {
  if (layer.kind === 'encrypt') return `encrypt:${layer.version}`
  return layer.kind === 'compound' ? `compound:${layer.count}` : layer.kind
}

/** The filters of a query, which the captures state decoded, in the bytes that Go writes. */
function filterBytes(filter: Fields): Uint8Array {
  return written((writer) => {
    if (Array.isArray(filter.nodes)) {
      writer.byte(0)
      list(text).encode(writer, filter.nodes as string[])
      return
    }
    writer.byte(1)
    writer.mapHead(2)
    for (const key of ['Expr', 'Tag']) {
      writer.text(key)
      writer.text(filter[key] as string)
    }
  })
}

/** Serf's message in a user message; a relay's inner message, which is stated decoded, is compared on its own. */
function checkSerf(bytes: Uint8Array, stated: Fields, name: string): void {
  const found = decodeSerfMessage(bytes)
  if (found.type !== 'relay') {
    const filters = (stated.Filters ?? null) as Fields[] | null
    const wanted = { ...stated, Filters: filters === null ? null : filters.map(filterBytes) }
    assert.deepEqual(found, serfMessageOf(wanted), name)
    return
  }
  assert.deepEqual(found, serfMessageOf({ ...stated, inner: found.message }), name)
  assert.deepEqual(decodeSerfMessage(found.message), serfMessageOf(stated.inner as Fields), name)
}

test('every captured datagram and stream of real agents decodes to its stated value', (t) => {
  const tally = new Tally()
  for (const { name, layer, bytes, decoded, params } of vectorsOf('captures')) {
    const sealing = sealingOf(params)
    if (layer === 'udp-packet') {
      const { layers, messages } = decoded as { layers: string[]; messages: Fields[] }
      const found = decodePacket(bytes, sealing)
      assert.deepEqual(found.problems, [], name)
      assert.deepEqual(found.layers.map(layerName), layers, name)
      assert.equal(found.messages.length, messages.length, name)
      for (const [at, stated] of messages.entries()) {
        const message = found.messages[at]?.message
        if (stated.type === 'user') {
          assert.ok(message?.type === 'user', name)
          checkSerf(message.payload, stated.serf as Fields, name)
        } else {
          assert.deepEqual(message, swimMessageOf(stated), name)
        }
        tally.add('message')
      }
      tally.add('datagram')
      continue
    }
    for (const { dir, hex, message } of (decoded as Fields).conversation as Fields[]) {
      const { header, nodes, userState } = message as { header: Fields; nodes: Fields[]; userState: Fields }
      const role = dir === 'initiator->target' ? 'listener' : 'dialler'
      const found = new StreamReader({ sealing, role }).push(fromHex(hex as string))?.message
      assert.ok(found?.type === 'push-pull', name)
      assert.equal(found.join, header.Join, name)
      assert.deepEqual(found.members, nodes.map(memberOf), name)
      assert.equal(found.userState.length, header.UserStateLen, name)
      assert.deepEqual(decodeSerfMessage(found.userState), serfMessageOf(userState), name)
      tally.add('stream direction')
    }
  }
  t.diagnostic(JSON.stringify(tally.counts))
  assert.deepEqual(tally.counts, { datagram: 184, message: 357, 'stream direction': 32 })
})
