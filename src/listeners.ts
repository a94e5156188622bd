// The emitter of a `Membership`: eventemitter3 with one promise more. A listener that throws disturbs nobody: the listeners
// after it are called, and its error goes to the owner. The one importer of eventemitter3.
import { EventEmitter } from 'eventemitter3'
import type { EventMap } from './events.ts'

type EventName = keyof EventMap
type Listener<Tags, Name extends EventName> = (...payload: EventMap<Tags>[Name]) => void

/** An emitter whose listeners are called through a guard each. All of eventemitter3's calls take and give the listeners themselves.
 *  What a listener returns is not looked at: a promise of its own that rejects is an unhandled rejection as anywhere. */
export class GuardedEmitter<Tags> extends EventEmitter<EventMap<Tags>> {
  readonly #surface: (error: unknown) => void
  /** One guard a listener, so that adding it twice and taking it away find the same one; and back. */
  readonly #guards = new WeakMap<object, object>()
  readonly #guarded = new WeakMap<object, object>()

  /** @param surface is handed what a listener threw, in the middle of the event; it must neither throw nor call back in */
  constructor(surface: (error: unknown) => void) {
    super()
    this.#surface = surface
  }

  override on<Name extends EventName>(event: Name, listener: Listener<Tags, Name>, context?: unknown): this {
    return super.on(event, this.#guardOf(listener), context)
  }

  override addListener<Name extends EventName>(event: Name, listener: Listener<Tags, Name>, context?: unknown): this {
    return this.on(event, listener, context)
  }

  override once<Name extends EventName>(event: Name, listener: Listener<Tags, Name>, context?: unknown): this {
    return super.once(event, this.#guardOf(listener), context)
  }

  override removeListener<Name extends EventName>(
    event: Name,
    listener?: Listener<Tags, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    // The emitter itself takes away what was added by `once`, and knows it by its guard.
    return super.removeListener(event, listener && this.#guardOf(listener), context, once)
  }

  override off<Name extends EventName>(
    event: Name,
    listener?: Listener<Tags, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    return this.removeListener(event, listener, context, once)
  }

  override listeners<Name extends EventName>(event: Name): Listener<Tags, Name>[] {
    return super.listeners(event).map((guard) => (this.#guarded.get(guard) ?? guard) as Listener<Tags, Name>)
  }

  /** The listener's guard; of a guard itself, the same. Anything but a function is left for the emitter to refuse. */
  #guardOf<Name extends EventName>(listener: Listener<Tags, Name>): Listener<Tags, Name> {
    if (typeof listener !== 'function' || this.#guarded.has(listener)) return listener
    const known = this.#guards.get(listener)
    if (known !== undefined) return known as Listener<Tags, Name>
    const surface = this.#surface
    const guard = function (this: unknown, ...payload: EventMap<Tags>[Name]): void {
      try {
        Reflect.apply(listener, this, payload)
      } catch (error) {
        surface(error)
      }
    }
    this.#guards.set(listener, guard)
    this.#guarded.set(guard, listener)
    return guard
  }
}
