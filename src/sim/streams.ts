// Simulated TCP: two ends and a line each way. Opening takes a round trip; an address that answers for a closed port refuses; one
// that does not answer leaves the dialler waiting, for as long as it likes. An orderly end tells both sides, a crash resets the
// other, a cut tells nobody (line.ts). Every call of an owner's handler comes from the schedule, never from inside a call of his.
//
//   near: dialling ──SYN──► far: made ──open──► near: opened ──open──► far: accepted ──► bytes both ways ──fin──► closed ◄──fin──
import { TransportError } from '../base/errors.ts'
import type { Stream, StreamHandlers } from '../driver/host.ts'
import { Address } from '../wire/address.ts'
import type { Fabric, StreamFate } from './fabric.ts'
import { Line, type Piece } from './line.ts'
import type { Socket, Station } from './station.ts'

/** What one read of a socket gives at most, as in Node. */
const PIECE_BYTES = 65_536
/** Linux: a SYN is sent again after 1 s, doubling, six times. */
const FIRST_SYN_RETRY_MS = 1_000
const MAX_SYN_RETRIES = 6
/** How long an accepted stream may stay half closed; its owner has forgotten it then. As in node/. */
const HALF_CLOSED_MS = 30_000

export class StreamEnd implements Stream {
  readonly peer: Address
  readonly #fabric: Fabric
  readonly #socket: Socket
  readonly #peerName: string
  readonly #isAccepted: boolean
  #handlers: StreamHandlers | undefined
  /** Towards the other end, once there is one. */
  #line: Line | undefined
  #isOpen = false
  #isEnding = false
  /** An accepted stream whose other side will say no more: we may still answer, but are told nothing again. */
  #isHalfClosed = false
  #isClosed = false
  /** Written before the stream was open. */
  #early: Piece[] = []

  /** @param handlers of an accepted stream: those that its acceptance gives */
  constructor(fabric: Fabric, socket: Socket, peer: Address, peerName: string, handlers?: StreamHandlers) {
    this.#fabric = fabric
    this.#socket = socket
    this.peer = peer
    this.#peerName = peerName
    this.#handlers = handlers
    this.#isAccepted = handlers === undefined
    socket.streams.add(this)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosed || this.#isEnding) return
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.#push(new Uint8Array(bytes.subarray(at, at + PIECE_BYTES))) // a copy: neither side sees what the other does to its own
    }
  }

  end(): void {
    if (this.#isClosed || this.#isEnding) return
    this.#isEnding = true
    this.#push('fin')
    if (this.#isHalfClosed) this.#close('ended')
  }

  destroy(): void {
    if (this.#isClosed) return
    this.#close('destroyed')
    this.#line?.discard()
    this.#line?.push('fin')
  }

  /** The process is gone: nothing more is sent but, by its machine, a reset. */
  abort(): void {
    if (this.#isClosed) return
    this.#close('destroyed')
    this.#line?.discard()
    if (this.#socket.station.isUp) this.#line?.push('reset')
  }

  /** The stream ends with an error that nobody sent. */
  fail(fate: StreamFate, error: TransportError): void {
    this.#deliver(() => {
      if (this.#isClosed) return
      this.#close(fate)
      this.#line?.discard()
      if (!this.#isHalfClosed) this.#handlers?.closed(error)
    })
  }

  /** Makes the two ends of one stream know each other. */
  connect(far: StreamEnd): void {
    this.#lead(far)
    far.#lead(this)
    far.#line?.push('open')
  }

  #lead(to: StreamEnd): void {
    const giveUp = (): void => this.fail('gave up', new TransportError(`${this.peer} does not answer any more`))
    const arrive = (piece: Piece): void => to.#deliver(() => to.#take(piece))
    this.#line = new Line(this.#fabric, this.#socket.station, to.#socket.station, arrive, giveUp)
  }

  #push(piece: Piece): void {
    if (this.#isOpen) this.#line?.push(piece)
    else this.#early.push(piece)
  }

  #deliver(task: () => void): void {
    this.#socket.station.loop.arrive(0, task)
  }

  #take(piece: Piece): void {
    if (this.#isClosed) return
    if (piece === 'open') this.#open()
    else if (piece === 'fin') this.#takeEnd()
    else if (piece === 'reset') {
      this.#fabric.traffic.streams.reset++
      this.#close('reset')
      this.#line?.discard()
      if (!this.#isHalfClosed) this.#handlers?.closed(new TransportError(`${this.peer} reset the stream`))
    } else {
      this.#fabric.traffic.streams.bytes += piece.length
      this.#socket.station.traffic.streams.bytes += piece.length
      this.#fabric.observer?.stream('data', this.#peerName, this.#socket.station.name, piece.length)
      this.#handlers?.data(piece)
    }
  }

  #open(): void {
    this.#isOpen = true
    this.#fabric.observer?.stream(
      this.#isAccepted ? 'accepted' : 'opened',
      this.#socket.station.name,
      this.#peerName,
      0,
    )
    if (!this.#isAccepted) this.#line?.push('open')
    for (const piece of this.#early) this.#line?.push(piece)
    this.#early = []
    if (!this.#isAccepted) {
      this.#handlers?.opened?.()
      return
    }
    this.#fabric.traffic.streams.accepted++
    this.#socket.station.traffic.streams.accepted++
    this.#handlers = this.#socket.handlers.stream(this)
    if (this.#handlers === undefined) this.destroy()
  }

  /** The other side will send no more. A dialled stream is over then; an accepted one may still answer, but not for ever. */
  #takeEnd(): void {
    if (this.#isAccepted && this.#isOpen && !this.#isEnding) {
      this.#isHalfClosed = true
      const { schedule } = this.#fabric
      schedule.at(schedule.now + HALF_CLOSED_MS, () => this.destroy())
    } else {
      this.#close('ended')
      if (!this.#isEnding) this.#line?.push('fin')
    }
    this.#handlers?.closed()
  }

  #close(fate: StreamFate): void {
    this.#isClosed = true
    this.#early = []
    this.#socket.streams.delete(this)
    this.#fabric.observer?.stream(fate, this.#socket.station.name, this.#peerName, 0)
  }
}

/** Opens a stream from `socket`. Failure is told to `handlers`, later. */
export function dial(fabric: Fabric, socket: Socket, to: Address, handlers: StreamHandlers): StreamEnd {
  const target = fabric.stationAt(to.host)
  const near = new StreamEnd(fabric, socket, to, target?.name ?? to.key, handlers)
  fabric.traffic.streams.dialled++
  socket.station.traffic.streams.dialled++
  fabric.observer?.stream('dialled', socket.station.name, target?.name ?? to.key, 0)
  knock(fabric, socket, near, 0)
  return near
}

/** Sends the first packet of a handshake, and again if it or a refusal is lost. */
function knock(fabric: Fabric, socket: Socket, near: StreamEnd, retries: number): void {
  if (near.isClosed) return
  const { schedule, links } = fabric
  const lost = (): void => {
    schedule.at(schedule.now + FIRST_SYN_RETRY_MS * (1 << retries), () => {
      if (retries < MAX_SYN_RETRIES) knock(fabric, socket, near, retries + 1)
      else near.fail('gave up', new TransportError(`${near.peer} does not answer`))
    })
  }
  const target = fabric.stationAt(near.peer.host)
  if (target === undefined || !target.isUp || !socket.station.isUp) {
    lost()
    return
  }
  const there = links.judge(socket.station.name, target.name, 'stream', 0)
  if (typeof there === 'string') lost()
  else schedule.at(schedule.now + there, () => answer(fabric, socket, near, target, lost))
}

/** The first packet of a handshake has arrived at `target`. */
function answer(fabric: Fabric, socket: Socket, near: StreamEnd, target: Station, lost: () => void): void {
  if (near.isClosed) return
  const listener = target.sockets.get(near.peer.port)
  if (listener !== undefined) {
    const peer = new Address(socket.station.ip, socket.station.takePort())
    near.connect(new StreamEnd(fabric, listener, peer, socket.station.name))
    return
  }
  const { schedule, links, traffic } = fabric
  const back = links.judge(target.name, socket.station.name, 'stream', 0)
  if (typeof back === 'string') {
    lost()
    return
  }
  traffic.streams.refused++
  target.traffic.streams.refused++
  schedule.at(schedule.now + back, () => near.fail('refused', new TransportError(`${near.peer} refused the stream`)))
}
