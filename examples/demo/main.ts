// The demo, `npm run demo`: three members, each a process of its own on this machine, meet, lose one, let one leave and
// take the lost one back, while a timeline tells who saw what and when. Where `serf` is on the PATH, a real Serf agent is the
// fourth. Ends with 0 and one line; with 1, and the reason, where anything did not happen in time.
import { freeAddresses, serfOnPath } from './ports.ts'
import { type Actor, DemoFailure, Stage, unseen } from './stage.ts'
import { duration, Timeline } from './timeline.ts'
import { describe } from './words.ts'

/** Starting a process on a busy machine. */
const START_MS = 15_000
/** The longest honest wait: a suspicion lasts 3 s with profile local where another member confirms it, 18 s where none does. */
const PATIENCE_MS = 30_000
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

const timeline = new Timeline()
const stage = new Stage((actor, report) => {
  const { text, tone } = describe(report, since())
  timeline.line(actor.name, text, tone)
})
/** Since when the present chapter's durations are counted, and what is said of that moment. */
let mark = { at: 0, name: '' }

process.on('exit', () => stage.killAll())
for (const [signal, number] of Object.entries(SIGNALS)) {
  process.on(signal, () => {
    timeline.say(`\nstopped by ${signal}`)
    process.exit(128 + number)
  })
}
// A reader that has seen enough (`npm run demo | head`) is an end like Ctrl-C.
process.stdout.on('error', () => process.exit(1))

try {
  timeline.say(`\n${await play()}`, 'good')
  process.exitCode = 0
} catch (error) {
  timeline.say(`\nfailed: ${error instanceof DemoFailure ? error.message : String(error)}`, 'bad')
  timeline.say("'DEBUG=rollcall:* npm run demo' shows every decision of every member.")
  process.exit(1)
}

/** The whole story. @returns its summary */
async function play(): Promise<string> {
  const serf = serfOnPath()
  const [adaAt = '', bobAt = '', cleoAt = '', serfAt = '', rpcAt = ''] = await freeAddresses(5)
  timeline.say("Three members of one cluster, each a process of its own on this machine; profile 'local'.")
  timeline.say(
    serf === undefined
      ? 'No serf on the PATH: the fourth member, a real Serf agent, is skipped. (Debian: apt-get install serf)'
      : `The fourth is a real Serf agent: ${serf}`,
  )

  timeline.heading('they start')
  const ada = stage.enter('ada', './member.ts', [adaAt, 'web'])
  const bob = stage.enter('bob', './member.ts', [bobAt, 'db'])
  const cleo = stage.enter('cleo', './member.ts', [cleoAt, 'cache'])
  const others = serf === undefined ? [] : [stage.enter('serf', './serf-agent.ts', [serfAt, 'go', rpcAt])]
  const all = [ada, bob, cleo, ...others]
  await stage.until('everyone listens', START_MS, () => notUp(all))

  const agreedMs = await meet(ada, all)
  const { suspectMs, deadMs } = await kill(bob, [ada, cleo, ...others])
  const leftMs = await leave(cleo, [ada, ...others])
  const backMs = await comeBack(ada, [bobAt, 'db'], others)
  await end([ada, ...others, ...stage.actors.slice(-1)])
  return (
    `ok: ${all.length} members agreed after ${duration(agreedMs)}; ` +
    `kill seen as suspect after ${duration(suspectMs)}, dead after ${duration(deadMs)}; ` +
    `left ${duration(leftMs)}; back ${duration(backMs)}`
  )
}

async function meet(first: Actor, all: readonly Actor[]): Promise<number> {
  timeline.heading(`they meet: the others are told ${first.name}'s address, and nothing else`)
  const began = begin('the word to join')
  const names = all.map(({ name }) => name)
  for (const actor of all) if (actor !== first) actor.order({ verb: 'join', seed: first.address ?? '' })
  await Promise.all(
    all.map(async (actor) => {
      await stage.until('everyone knows everyone', PATIENCE_MS, () => unseen([actor], names, 'alive'))
      timeline.line(actor.name, `knows all ${all.length}${since()}`)
    }),
  )
  return timeline.now - began
}

async function kill(victim: Actor, witnesses: readonly Actor[]): Promise<{ suspectMs: number; deadMs: number }> {
  timeline.heading(`${victim.name} is killed: no goodbye, its socket is simply gone`)
  const began = begin('the kill')
  victim.kill('SIGKILL')
  timeline.line(victim.name, 'gets SIGKILL', 'bad')
  const isDoubted = (): boolean =>
    witnesses.some(({ sights }) => ['suspect', 'dead'].includes(sights.get(victim.name)?.state ?? ''))
  await stage.until(`someone suspects ${victim.name}`, PATIENCE_MS, () => (isDoubted() ? undefined : 'a suspicion'))
  const suspectMs = timeline.now - began
  await stage.until(`${victim.name} is dead for all`, PATIENCE_MS, () => unseen(witnesses, [victim.name], 'dead'))
  return { suspectMs, deadMs: timeline.now - began }
}

async function leave(leaver: Actor, witnesses: readonly Actor[]): Promise<number> {
  timeline.heading(`${leaver.name} leaves, and says so: nobody has to suspect anything`)
  const began = begin('the word to leave')
  leaver.order({ verb: 'leave' })
  timeline.line(leaver.name, 'says goodbye')
  await stage.until(`${leaver.name} has left for all`, PATIENCE_MS, () => unseen(witnesses, [leaver.name], 'left'))
  const leftMs = timeline.now - began
  await stage.until(`the process of ${leaver.name} ends`, PATIENCE_MS, () => (leaver.ended ? undefined : 'its exit'))
  if (leaver.ended?.code !== 0) throw new DemoFailure(`${leaver.name} left, but ended with ${leaver.ended?.code}`)
  timeline.line(leaver.name, `has ended by itself, exit code 0${since()}`)
  return leftMs
}

async function comeBack(seed: Actor, args: readonly string[], others: readonly Actor[]): Promise<number> {
  timeline.heading('bob is started again: the same name, the same address')
  const bob = stage.enter('bob', './member.ts', args)
  await stage.until('bob listens', START_MS, () => notUp([bob]))
  const began = begin('the word to join')
  bob.order({ verb: 'join', seed: seed.address ?? '' })
  const all = [seed, bob, ...others]
  const names = all.map(({ name }) => name)
  await stage.until('bob is known again', PATIENCE_MS, () => unseen(all, names, 'alive'))
  timeline.line(bob.name, `is alive for all again${since()}`)
  return timeline.now - began
}

async function end(actors: readonly Actor[]): Promise<void> {
  for (const actor of actors) actor.order({ verb: 'close' })
  await stage.until('every process ends', PATIENCE_MS, () => actors.find(({ ended }) => ended === undefined)?.name)
}

function notUp(actors: readonly Actor[]): string | undefined {
  return actors.find(({ address }) => address === undefined)?.name
}

/** A new moment to count from. */
function begin(name: string): number {
  mark = { at: timeline.now, name }
  return mark.at
}

function since(): string {
  return `, ${duration(timeline.now - mark.at)} after ${mark.name}`
}
