// Typed tags, as a user's program has them: compiled against the built package and never run. What `validateTags` gives is what
// `member.tags` is, everywhere; where it does not fit there is nothing.
import {
  type Change,
  type Member,
  type MemberEvent,
  Membership,
  type MembershipOptions,
  type TagsSchema,
} from 'rollcall'

interface ServiceTags {
  readonly role: 'log' | 'web'
  readonly weight: number
}

/** As zod, valibot and arktype make them: an object with more to it, whose types say what comes in and what comes out. */
declare const schema: {
  readonly parse: (data: unknown) => ServiceTags
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
      options?: { readonly libraryOptions?: Record<string, unknown> | undefined } | undefined,
    ) =>
      | { readonly value: ServiceTags; readonly issues?: undefined }
      | { readonly issues: readonly { readonly message: string; readonly path?: readonly PropertyKey[] | undefined }[] }
      | Promise<
          | { readonly value: ServiceTags; readonly issues?: undefined }
          | { readonly issues: readonly { readonly message: string }[] }
        >
    readonly types?: { readonly input: { role: string; weight: string }; readonly output: ServiceTags } | undefined
  }
}

type Equal<Left, Right> =
  (<Any>() => Any extends Left ? 1 : 2) extends <Any>() => Any extends Right ? 1 : 2 ? true : false
function expectType<Expected>() {
  return <Given>(_value: Given, _isSame: Equal<Given, Expected>): void => {}
}

type Raw = Readonly<Record<string, string>>
type Seen = ServiceTags | undefined

export async function typed(): Promise<void> {
  await using membership = new Membership({
    name: 'log-1',
    tags: { role: 'log', weight: '3' },
    validateTags: schema,
    accept: ({ tags, rawTags }) => {
      expectType<Seen>()(tags, true)
      expectType<Raw>()(rawTags, true)
      return tags?.role === 'log'
    },
  })
  expectType<Membership<ServiceTags>>()(membership, true)
  expectType<Seen>()(membership.local.tags, true)
  expectType<Seen>()(membership.member('log-2')?.tags, true)
  expectType<readonly Member<ServiceTags>[]>()(membership.members({ tags: { role: 'log' } }), true)
  membership.on('member-update', ({ member, previous }) => {
    expectType<Seen>()(member.tags, true)
    expectType<Raw>()(member.rawTags, true)
    expectType<Seen>()(previous?.tags, true)
    // @ts-expect-error tags that do not fit are none: they have to be asked after
    member.tags.role
    // @ts-expect-error no such tag
    member.tags?.zone
  })
  membership.once('member-join', ({ member }) => expectType<number | undefined>()(member.tags?.weight, true))
  membership.on('warning', ({ code }) => code === 'tags-invalid')
  for await (const change of membership.changes()) {
    expectType<Change<ServiceTags>>()(change, true)
    if (change.kind === 'change') expectType<Seen>()(change.event.member.tags, true)
    if (change.kind === 'view')
      expectType<Seen[]>()(
        change.members.map(({ tags }) => tags),
        true,
      )
  }
  // Ours go as texts.
  await membership.setTags({ role: 'web', weight: '1' })
  // @ts-expect-error a number is no text
  await membership.setTags({ role: 'web', weight: 1 })
}

export async function untyped(): Promise<void> {
  const membership = new Membership({ tags: { role: 'log' } })
  expectType<Membership>()(membership, true)
  expectType<Membership>()(new Membership(), true)
  expectType<Raw>()(membership.local.tags, true)
  expectType<Raw>()(membership.local.rawTags, true)
  membership.on('member-join', ({ member }) => expectType<Raw>()(member.tags, true))
  const options: MembershipOptions = { accept: ({ tags }) => tags.role === 'log' }
  expectType<Membership>()(new Membership(options), true)
}

/** A schema that lets texts through as they are: they may be missing all the same. */
export function sameTexts(texts: TagsSchema<Record<string, string>>): void {
  const membership = new Membership({ validateTags: texts })
  expectType<Record<string, string> | undefined>()(membership.local.tags, true)
}

/** Works with any of them. */
export function names<Tags>(membership: Membership<Tags>): string[] {
  membership.on('member-join', (event) => told(event))
  return membership.members().map(({ name, rawTags }) => `${name} ${rawTags.role}`)
}

function told<Tags>(event: MemberEvent<Tags>): void {
  console.log(event.type, event.member.rawTags.role, event.previous?.state)
}

export function misuse(asynchronous: { readonly '~standard': { readonly version: 2 } }): void {
  // @ts-expect-error a type of tags needs something that validates them
  new Membership<ServiceTags>({ tags: { role: 'log' } })
  // @ts-expect-error the same
  new Membership<ServiceTags>()
  // @ts-expect-error another version
  new Membership({ validateTags: asynchronous })
  // @ts-expect-error a function is no schema
  new Membership({ validateTags: (tags: unknown) => tags })
  // @ts-expect-error a member whose tags are validated is not one whose tags are texts
  const plain: Membership = new Membership({ validateTags: schema })
  console.log(names(plain), names(new Membership({ validateTags: schema })))
}
