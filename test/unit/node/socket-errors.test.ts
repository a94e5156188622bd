import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TransportError } from '../../../src/base/errors.ts'
import { bindError, codeOf, isPassing, isRemote, peerError } from '../../../src/node/socket-errors.ts'
import { Address } from '../../../src/wire/address.ts'

const coded = (code: string) => Object.assign(new Error(`send ${code}`), { code })
const address = new Address(Uint8Array.of(10, 0, 0, 1), 7946)

describe('node/socket-errors.ts', () => {
  it('whatever the system says of a send is the network or the target speaking', () => {
    for (const code of [
      'ENETUNREACH',
      'EHOSTUNREACH',
      'ECONNREFUSED',
      'EPERM',
      'EACCES',
      'EINVAL',
      'ERR_SOCKET_BAD_PORT',
    ])
      assert.ok(isRemote(coded(code)), code)
  })

  it('a shortage and our own refusal are not', () => {
    for (const code of ['ENOBUFS', 'EAGAIN', 'ENOMEM', 'EMFILE']) assert.ok(!isRemote(coded(code)), code)
    assert.ok(!isRemote(new TransportError('4 MiB already wait')))
  })

  it('a bound socket survives news of a peer and a shortage, nothing else', () => {
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EMFILE', 'ENOBUFS', 'ECONNABORTED'])
      assert.ok(isPassing(coded(code)), code)
    for (const code of ['EBADF', 'ENOTSOCK', 'EINVAL', 'EIO']) assert.ok(!isPassing(coded(code)), code)
    assert.ok(!isPassing(new Error('x')))
  })

  it('a bind error names protocol, address, port and code, and keeps its cause', () => {
    const cause = coded('EADDRINUSE')
    const error = bindError('UDP', address, cause)
    assert.ok(error instanceof TransportError)
    assert.equal(error.message, 'cannot bind UDP 10.0.0.1:7946: EADDRINUSE (the port is in use)')
    assert.equal(error.cause, cause)
    assert.equal(bindError('TCP', address, coded('EIO')).message, 'cannot bind TCP 10.0.0.1:7946: EIO')
  })

  it('an error without a code is told in its own words', () => {
    assert.equal(peerError('stream with', address, new Error('odd')).message, 'stream with 10.0.0.1:7946: odd')
    assert.equal(peerError('stream with', address, coded('EPIPE')).message, 'stream with 10.0.0.1:7946: EPIPE')
    assert.equal(codeOf(Object.assign(new Error('x'), { code: 7 })), 'unknown')
  })
})
