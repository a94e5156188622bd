// `npm run demo` with a real agent as its fourth member: Serf's own list agrees with ours at every turn of the story, and no
// agent outlives the demo, however that ends.
import assert from 'node:assert/strict'
import { allGone, announcedPids, runDemo } from '../loopback/demo-run.ts'
import { interopTest } from './support/interop-test.ts'

interopTest('the demo with a Serf agent', async () => {
  const demo = runDemo(true)
  assert.equal(await demo.ended, 0, demo.output())
  const text = demo.output().trimEnd()
  for (const fact of [
    /^The fourth is a real Serf agent: \S+$/m,
    /ada +sees serf join \(role=go/,
    /serf +lists bob as alive \(role=db/,
    /serf +lists bob as failed/,
    /serf +lists cleo as left/,
    /serf +lists bob as alive, which was dead/,
    /\nok: 4 members agreed after .*$/,
  ]) {
    assert.match(text, fact)
  }
  const pids = announcedPids(text)
  assert.equal(pids.length, 5)
  await allGone(pids)
})

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  interopTest(`${signal} to the demo ends its Serf agent too`, async () => {
    const demo = runDemo(true)
    await demo.printed(/serf +knows all 4/)
    demo.child.kill(signal)
    await demo.ended
    const pids = announcedPids(demo.output())
    assert.equal(pids.length, 4)
    await allGone(pids)
  })
}
