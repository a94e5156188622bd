// `npm run demo` without a serf: it tells its story, ends well, and leaves no process behind, however it is ended.
// With a real agent it is run by test/interop/demo.test.ts.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allGone, announcedPids, runDemo } from './demo-run.ts'

const LIMIT = { timeout: 120_000 }
const SUMMARY =
  /^ok: 3 members agreed after \S+ m?s; kill seen as suspect after \S+ m?s, dead after \S+ m?s; left \S+ m?s; back \S+ m?s$/
/** A fact (time, who, what), a heading, or nothing. */
const LINE = /^(?: {0,8}\d+ ms {2}(?:ada|bob|cleo) {1,3}\S.*|── .* ─+|)$/

describe('npm run demo', { concurrency: 2, ...LIMIT }, () => {
  test('three members meet, lose one, let one go and take one back; nothing is left running', LIMIT, async () => {
    const demo = runDemo(false)
    assert.equal(await demo.ended, 0, demo.output())
    const lines = demo.output().trimEnd().split('\n')
    assert.match(lines.at(-1) ?? '', SUMMARY)
    assert.match(lines[1] ?? '', /^No serf on the PATH: the fourth member, a real Serf agent, is skipped\./)
    for (const line of lines.slice(2, -1)) assert.match(line, LINE)
    const text = lines.join('\n')
    for (const fact of [
      /ada +knows all 3/,
      /(?:ada|cleo) +sees bob suspect/,
      /ada +sees bob dead/,
      /cleo +sees bob dead/,
      /ada +sees cleo left/,
      /cleo +has ended by itself, exit code 0/,
      /ada +sees bob join, which was dead/,
      /bob +is alive for all again/,
    ]) {
      assert.match(text, fact)
    }
    const pids = announcedPids(text)
    assert.equal(pids.length, 4)
    await allGone(pids)
  })

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${signal} ends the demo with ${code}, and all members with it`, LIMIT, async () => {
      const demo = runDemo(false)
      await demo.printed(/gets SIGKILL/)
      demo.child.kill(signal)
      assert.equal(await demo.ended, code)
      assert.match(demo.output(), new RegExp(`stopped by ${signal}\n$`))
      await allGone(announcedPids(demo.output()))
    })
  }

  test('a demo that is killed outright takes its members with it', LIMIT, async () => {
    const demo = runDemo(false)
    await demo.printed(/cleo +knows all 3/)
    demo.child.kill('SIGKILL')
    assert.equal(await demo.ended, 'SIGKILL')
    await allGone(announcedPids(demo.output()))
  })
})
