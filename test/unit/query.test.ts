import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Answers, Query, type QueryResponse } from '../../src/query.ts'

function response(from: string): QueryResponse {
  return { from, payload: new Uint8Array(0), unpack: () => undefined }
}

/** What `for await` gives, and what it was thrown. */
async function read<Item>(items: AsyncIterable<Item>): Promise<{ items: Item[]; error: unknown }> {
  const read: Item[] = []
  try {
    for await (const item of items) read.push(item)
    return { items: read, error: undefined }
  } catch (error) {
    return { items: read, error }
  }
}

describe('answers', () => {
  it('come to every reader, from the first on, whenever it begins', async () => {
    const answers = new Answers<number>()
    answers.push(1)
    const early = read(answers)
    answers.push(2)
    const collected = answers.collect()
    answers.push(3)
    answers.end()
    answers.push(4)
    for (const items of [(await early).items, (await read(answers)).items, await collected, await answers.collect()]) {
      assert.deepEqual(items, [1, 2, 3])
    }
  })

  it('of none there is the end', async () => {
    const answers = new Answers<number>()
    const reading = read(answers)
    answers.end()
    assert.deepEqual((await reading).items, [])
    assert.deepEqual(await answers.collect(), [])
  })

  it('that end with a reason give what came, and then throw it', async () => {
    const answers = new Answers<number>()
    const reading = read(answers)
    const collecting = assert.rejects(answers.collect(), /enough/)
    answers.push(1)
    const error = new Error('enough')
    answers.end({ error })
    assert.deepEqual(await reading, { items: [1], error })
    await collecting
  })

  it('that end with an undefined reason throw it all the same', async () => {
    const answers = new Answers<number>()
    answers.end({ error: undefined })
    await assert.rejects(async () => {
      await answers.collect()
    })
  })

  it('a reader may go, and another goes on', async () => {
    const answers = new Answers<number>()
    answers.push(1)
    answers.push(2)
    for await (const answer of answers) {
      assert.equal(answer, 1)
      break
    }
    answers.end()
    assert.deepEqual(await answers.collect(), [1, 2])
  })
})

describe('Query', () => {
  it('gives responses and acks apart, and how it ended', async () => {
    let ends = 0
    const cancelled = (): never => assert.fail('nobody cancelled it')
    const query = new Query({ name: 'load', cancelled, ended: () => void ends++ })
    assert.equal(query.outcome, undefined)
    query.acks.push('m-1')
    query.responded(response('m-2'))
    query.finish('complete')
    assert.equal(query.outcome, 'complete')
    assert.equal(await query.ended, 'complete')
    assert.deepEqual(await query.acks.collect(), ['m-1'])
    assert.deepEqual(
      (await query.collect()).map(({ from }) => from),
      ['m-2'],
    )
    query.finish('timeout')
    query.cancel()
    query.abort(new Error('too late'))
    assert.deepEqual([query.outcome, ends], ['complete', 1])
  })

  it('cancelled, lets go once and keeps what came', async () => {
    let cancels = 0
    let ends = 0
    const query = new Query({ name: 'load', cancelled: () => void cancels++, ended: () => void ends++ })
    query.responded(response('m-2'))
    query.cancel()
    query.cancel()
    query.responded(response('m-3'))
    assert.deepEqual([cancels, ends], [1, 1])
    assert.equal(await query.ended, 'cancelled')
    assert.equal((await read(query)).items.length, 1)
  })
})
