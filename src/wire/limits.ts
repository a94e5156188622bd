// Every maximum on the wire, with its reason. Numbers other members rely on come from wire-protocol §11;
// the others are ours and only bound what a stranger can make us do. Bytes where nothing else is said.

/** A final datagram, everything included: memberlist's own aim, below the usual MTU of 1,500. */
export const MAX_PACKET_BYTES = 1400
/** `alive.meta`, so also the encoded tags. */
export const MAX_META_BYTES = 512
/** A label, whose length is one byte. */
export const MAX_LABEL_BYTES = 255
/** Messages in one compound we send: memberlist below 0.2.4 misreads 128 and more (wire-protocol §3.6). */
export const MAX_COMPOUND_PARTS = 127
/** Messages in one compound anyone can send: the count is one byte. */
export const MAX_COMPOUND_COUNT = 255
/** One message of a compound: its length is two bytes. No datagram carries more. */
export const MAX_COMPOUND_PART_BYTES = 65_535
/** Compound and compress layers inside one another. Go sends two; strangers could nest without end. */
export const MAX_LAYER_DEPTH = 8
/** Messages, compounds among them, in all compounds of one datagram. Four full ones; small bytes could else cost us much.
 *  Differs: memberlist takes as many messages as nested compounds can hold. */
export const MAX_PACKET_PARTS = 1024
/** Broken messages in one datagram, after which the rest of it is left unread: each costs as much time as twenty good ones. */
export const MAX_PACKET_PROBLEMS = 128
/** All that the compress layers of one datagram may unfold to, together. As much as a datagram without them can bring.
 *  Differs: memberlist unfolds each compressed message of a datagram to as much as 40 MiB. */
export const MAX_INFLATED_PACKET_BYTES = 65_536
/** What the compress layer of one stream may unfold to: memberlist's own limit, twice 20 MiB. 30 KB can; it is unfolded in slices. */
export const MAX_INFLATED_STREAM_BYTES = 41_943_040
/** An encrypted frame, a push/pull's user state, a user message on a stream: memberlist's limit, 20 MiB. */
export const MAX_STREAM_PART_BYTES = 20_971_520
/** What a stream may make us hold before its message is whole: one part of full size, and 64 KiB for what stands around it. */
export const MAX_STREAM_BYTES: number = MAX_STREAM_PART_BYTES + 65_536
/** Members in one push/pull: twice as many as a member of ours ever holds, since old ones tell of whoever left for ever.
 *  Differs: memberlist takes eight times as many, which a stranger can send in one MiB and have us read for seconds. */
export const MAX_PUSH_PULL_MEMBERS = 131_072
/** Names in Serf's part of a push/pull, present and left alike. Serf remembers the gone for a day longer than memberlist does. */
export const MAX_SERF_NAMES = 262_144
/** User events in Serf's part of a push/pull. Go keeps 512 Lamport times, each with as many events as members sent at that time. */
export const MAX_SERF_EVENTS = 65_536
/** What a user event may be made to take by its sender's own limit: Serf's ceiling. */
export const MAX_EVENT_BYTES = 9216
/** Fields of one struct, known or not. The largest of the protocol has eleven.
 *  Differs: Go passes over as many unknown fields as come, and 31 KB unfold to ten million. */
export const MAX_STRUCT_FIELDS = 64
/** One struct on a stream: as much as a datagram can bring. */
export const MAX_STRUCT_BYTES = 65_536
/** Values passed over because nobody knows their field, in one struct. */
export const MAX_UNKNOWN_VALUES = 65_536
/** Filters of a query, keys of a keyring. */
export const MAX_LIST_ITEMS = 4096
/** One text, and bytes that come as a list of numbers. Names are in both, and no packet carries longer ones. */
export const MAX_TEXT_BYTES = 65_535
/** MessagePack values inside one another. Serf's own nest four deep. */
export const MAX_VALUE_DEPTH = 64
/** Values with ill-formed text that are left out of one message before all of it is refused: each costs as much time as
 *  a hundred good ones. */
export const MAX_ILL_FORMED_VALUES = 1024
