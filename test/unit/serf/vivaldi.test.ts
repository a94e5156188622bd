// Vivaldi against Go's own numbers: golden sequences, and the simulations that Serf holds its implementation to.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from '../../../src/base/random.ts'
import { distance, freshCoordinate, Vivaldi } from '../../../src/serf/vivaldi.ts'
import type { Coordinate } from '../../../src/wire/types.ts'
import type { Fields } from '../wire/vectors.ts'
import { vectorsOf } from '../wire/vectors.ts'

function coordinate(vector: readonly number[], more: Partial<Coordinate> = {}): Coordinate {
  return { vector, error: 1.5, adjustment: 0, height: 10e-6, ...more }
}

function stated(from: Fields): Coordinate {
  const { Vec, Error: error, Adjustment: adjustment, Height: height } = from
  return { vector: Vec, error, adjustment, height } as unknown as Coordinate
}

function assertClose(actual: Coordinate, expected: Coordinate, what: string): void {
  const numbers = (one: Coordinate): number[] => [...one.vector, one.error, one.adjustment, one.height]
  const wanted = numbers(expected)
  assert.equal(numbers(actual).length, wanted.length, what)
  for (const [at, number] of numbers(actual).entries()) {
    assert.ok(Math.abs(number - (wanted[at] as number)) <= 1e-12, `${what}, number ${at}: ${number}, not ${wanted[at]}`)
  }
}

describe('golden sequences', () => {
  test('SF-95: each update gives the coordinate and the distance that Go gives, and refuses what Go refuses', (t) => {
    let taken = 0
    let refused = 0
    for (const { name, layer, decoded } of vectorsOf('serf-coordinates')) {
      if (layer !== 'vivaldi') continue
      const vivaldi = new Vivaldi(new Random(1))
      for (const [at, step] of ((decoded as Fields).steps as Fields[]).entries()) {
        const other = stated(step.other as Fields)
        const before = vivaldi.own
        const problem = vivaldi.update(step.node as string, other, Number(step.rttNanoseconds) / 1e9)
        assert.equal(problem === undefined, step.error === undefined, `${name} ${at}: ${problem}`)
        if (problem === undefined) taken++
        else {
          refused++
          assert.equal(vivaldi.own, before)
        }
        assertClose(vivaldi.own, step.result ? stated(step.result as Fields) : before, `${name} ${at}`)
        if (step.distanceNanoseconds === undefined) continue
        assert.ok(
          Math.abs(distance(vivaldi.own, other) * 1e9 - Number(step.distanceNanoseconds)) < 1.5,
          `${name} ${at}`,
        )
      }
    }
    t.diagnostic(`${taken} updates taken, ${refused} refused`)
    assert.deepEqual([taken, refused], [124, 10])
  })

  test('SF-95: the sequence of the appendix', () => {
    const one = coordinate([0.01, 0, -0.003, 0, 0, 0, 0, 0], { error: 0.4, adjustment: 0.0001, height: 0.0002 })
    const two = coordinate([0, -0.02, 0, 0, 0, 0, 0, 0.004], { error: 0.2, height: 0.001 })
    const start = coordinate([0.001, 0.002, 0, 0, 0, 0, 0, 0], { error: 0.8, height: 0.0005 })
    const vivaldi = new Vivaldi(new Random(1), start)
    assert.equal(distance(start, one), 10495359 / 1e9)
    assert.equal(distance(start, two), 23883029 / 1e9)
    const steps: [string, Coordinate, number, Coordinate][] = [
      [
        'o1',
        one,
        0.015,
        coordinate([0.0003030725849633717, 0.002154872392931514, 0.00023230908345071562, 0, 0, 0, 0, 0], {
          error: 0.7167182333333334,
          adjustment: 0.00009499153308588438,
          height: 0.0005542053688160815,
        }),
      ],
      [
        'o2',
        two,
        0.03,
        coordinate(
          [0.00031842239962530535, 0.003276961996876045, 0.0002440749162979299, 0, 0, 0, 0, -0.00020259021779451368],
          { error: 0.6146434068908454, adjustment: 0.0002127508377692133, height: 0.000632921938451731 },
        ),
      ],
      [
        'o1',
        one,
        0.05,
        coordinate(
          [-0.004893900059468885, 0.005041195641647554, 0.0019906046050793616, 0, 0, 0, 0, -0.00031165967867791627],
          { error: 0.6370468568496004, adjustment: 0.001018220732286682, height: 0.001081346193766927 },
        ),
      ],
      [
        'o1',
        one,
        0.012,
        coordinate(
          [-0.0043533410267618715, 0.004858228832939901, 0.0018094754829396209, 0, 0, 0, 0, -0.00030034820003990123],
          { error: 0.5791369499989878, adjustment: 0.0009648244309281455, height: 0.0010348406907781857 },
        ),
      ],
      [
        'o2',
        two,
        0,
        coordinate(
          [-0.004395455840939914, 0.00509872118184432, 0.0018269805952786857, 0, 0, 0, 0, -0.0003419524457065824],
          { error: 0.4797944102437184, adjustment: 0.0010156493571462344, height: 0.001054526534441105 },
        ),
      ],
      [
        'o1',
        one,
        9,
        coordinate(
          [-0.00826798954479174, 0.006470329614972113, 0.0031254904280047452, 0, 0, 0, 0, -0.00043394117023812576],
          { error: 0.5005722619303, adjustment: 0.0017176077646261756, height: 0.0013920072265051818 },
        ),
      ],
    ]
    for (const [at, [name, other, rtt, expected]] of steps.entries()) {
      assert.equal(vivaldi.update(name, other, rtt), undefined)
      assertClose(vivaldi.own, expected, `step ${at}`)
    }
    const before = vivaldi.own
    assert.match(vivaldi.update('o1', one, 10.000000001) ?? '', /round trip/)
    assert.match(vivaldi.update('o1', one, -1e-9) ?? '', /round trip/)
    assert.match(vivaldi.update('o1', coordinate([0, 0, 0, 0, 0, 0, 0]), 0.01) ?? '', /7 dimensions/)
    assert.match(vivaldi.update('o1', coordinate([0, 0, 0, 0, 0, 0, 0, Number.NaN]), 0.01) ?? '', /no number/)
    assert.equal(vivaldi.own, before)
  })
})

/** True round trips between all, in seconds. */
type Truth = readonly (readonly number[])[]

function truthOf(count: number, rtt: (one: number, other: number) => number): Truth {
  const all = Array.from({ length: count }, (_, at) => at)
  return all.map((one) => all.map((other) => (one === other ? 0 : rtt(Math.min(one, other), Math.max(one, other)))))
}

/** Each round everyone observes one peer at random, or nobody. */
function simulate(members: readonly Vivaldi[], truth: Truth, rounds: number, random: Random): void {
  for (let round = 0; round < rounds; round++) {
    for (const [at, member] of members.entries()) {
      const peer = random.below(members.length)
      if (peer === at) continue
      const rtt = (truth[at] as readonly number[])[peer] as number
      assert.equal(member.update(`m${peer}`, (members[peer] as Vivaldi).own, rtt), undefined)
    }
  }
}

function errorsOf(members: readonly Vivaldi[], truth: Truth): { average: number; maximum: number } {
  const errors: number[] = []
  for (const [one, member] of members.entries()) {
    for (const [other, peer] of members.entries()) {
      if (other <= one) continue
      const rtt = (truth[one] as readonly number[])[other] as number
      errors.push(Math.abs(distance(member.own, peer.own) - rtt) / rtt)
    }
  }
  return { average: errors.reduce((sum, error) => sum + error, 0) / errors.length, maximum: Math.max(...errors) }
}

function fresh(count: number, random: Random, dimensions = 8): Vivaldi[] {
  return Array.from({ length: count }, () => new Vivaldi(random.fork(), freshCoordinate(dimensions)))
}

/** Runs of each simulation. Serf's bounds are what one run of Go's gives, with the dice of one seed. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9]

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction())
}

function symmetric(truth: Truth): Truth {
  return truth.map((row, one) =>
    row.map((rtt, other) => (other > one ? rtt : ((truth[other] as number[])[one] as number))),
  )
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] as number
}

/** The height of the first member, and the highest of the others: who is off the circle stands above it, and no other does. */
function heightsOf(members: readonly Vivaldi[]): { first: number; highest: number } {
  const [first, ...others] = members.map(({ own }) => own.height)
  return { first: first as number, highest: Math.max(...others) }
}

/** On a circle of radius 1. */
function place(at: number): [number, number] {
  const angle = (2 * Math.PI * at) / 25
  return [Math.cos(angle), Math.sin(angle)]
}

const dice = new Random(1)

describe('simulations (serf coordinate/performance_test.go)', () => {
  /** `median`: of the averages of Go's implementation, over its seeds 1 to 40; `within`: how many of those 40 keep both bounds. */
  const cases: {
    title: string
    truth: Truth
    dimensions?: number
    average: number
    maximum: number
    go: { median: number; within: number }
  }[] = [
    {
      title: 'SF-96: ten on a line, 10 ms apart',
      truth: truthOf(10, (one, other) => (other - one) * 0.01),
      average: 0.0031,
      maximum: 0.013,
      go: { median: 0.0025, within: 22 },
    },
    {
      title: 'SF-96: a grid of five by five, 10 ms apart',
      truth: truthOf(
        25,
        (one, other) => 0.01 * Math.hypot((one % 5) - (other % 5), Math.floor(one / 5) - Math.floor(other / 5)),
      ),
      average: 0.0016,
      maximum: 0.023,
      go: { median: 0.00167, within: 19 },
    },
    {
      title: 'SF-96: two groups, 1 ms inside and 11 ms across',
      truth: truthOf(25, (one, other) => (one <= 12 === other <= 12 ? 0.001 : 0.011)),
      average: 0.00006,
      maximum: 0.00048,
      go: { median: 0.0000547, within: 31 },
    },
    {
      title: 'SF-96: a circle of 24, and one that is far from all of them, in two dimensions',
      truth: truthOf(25, (one, other) => {
        if (one === 0) return 0.2
        const [[x, y], [u, v]] = [place(one), place(other)]
        return 0.1 * Math.hypot(x - u, y - v)
      }),
      dimensions: 2,
      average: 0.0028,
      maximum: 0.064,
      go: { median: 0.0032, within: 9 },
    },
    {
      title: 'SF-96: any round trips, 100 ms with a deviation of 10 ms',
      truth: symmetric(truthOf(25, () => 0.1 + 0.01 * normal(dice))),
      average: 0.075,
      maximum: 0.33,
      go: { median: 0.051, within: 39 },
    },
  ]
  for (const { title, truth, dimensions, average, maximum, go } of cases) {
    test(title, (t) => {
      const runs = SEEDS.map((seed) => {
        const random = new Random(seed)
        const members = fresh(truth.length, random, dimensions)
        simulate(members, truth, 1000, random)
        return { ...errorsOf(members, truth), ...heightsOf(members) }
      })
      const isHeightRight = (run: (typeof runs)[number]): boolean =>
        dimensions !== 2 || (run.first >= 0.097 && run.highest <= 0.003)
      const within = runs.filter((run) => run.average <= average && run.maximum <= maximum && isHeightRight(run)).length
      const middle = median(runs.map((errors) => errors.average))
      t.diagnostic(`${within} of ${SEEDS.length} runs within the bounds, Go ${go.within} of 40; median ${middle}`)
      assert.ok(within > 0, JSON.stringify(runs))
      assert.ok(middle <= 1.15 * go.median, `${middle}, Go ${go.median}`)
    })
  }

  test('SF-96: gravity draws a square that lies off the centre back to it', (t) => {
    const side = 0.5
    const start = [
      [0, 0],
      [0, side],
      [side, side],
      [side, side],
    ]
    const random = new Random(1)
    const members = start.map((vector) => new Vivaldi(random.fork(), coordinate(vector)))
    const truth = truthOf(4, (one, other) => (one % 2 === 0 && other % 2 === 0 ? Math.SQRT2 * side : side))
    const offset = (): number => {
      const middle = [0, 1].map((axis) => {
        const places = members.map(({ own }) => own.vector[axis] as number)
        return (Math.min(...places) + Math.max(...places)) / 2
      })
      return Math.hypot(...middle)
    }
    simulate(members, truth, 1000, random)
    const before = offset()
    simulate(members, truth, 10_000, random)
    t.diagnostic(`${before.toFixed(4)} s, then ${offset().toFixed(4)} s`)
    assert.ok(offset() <= 0.8 * before)
  })
})

describe('an update', () => {
  const near = coordinate([0.01, 0, 0, 0, 0, 0, 0, 0])

  test('SF-98: two at one place part, each time in another direction, and neither is lost', () => {
    const directions = new Set<string>()
    for (let seed = 1; seed <= 20; seed++) {
      const vivaldi = new Vivaldi(new Random(seed))
      assert.equal(vivaldi.update('m2', freshCoordinate(), 0.02), undefined)
      const { vector, height } = vivaldi.own
      const length = Math.hypot(...vector)
      // A quarter of the half that the two are equally unsure of, less a trace of gravity.
      assert.ok(length > 0.002 && length < 0.0026, `${length}`)
      assert.ok(height >= 10e-6)
      directions.add(vector.map((part) => (part / length).toFixed(3)).join())
    }
    assert.equal(directions.size, 20)
  })

  test('a round trip of none at all is taken', () => {
    const vivaldi = new Vivaldi(new Random(1))
    assert.equal(vivaldi.update('m2', near, 0), undefined)
    assert.ok(vivaldi.own.vector.every(Number.isFinite))
  })

  test('one round trip that is far off the others of its member is passed over', () => {
    const [calm, shaken] = [1, 2].map(() => new Vivaldi(new Random(1))) as [Vivaldi, Vivaldi]
    for (const rtt of [0.01, 0.01, 0.01]) calm.update('m2', near, rtt)
    for (const rtt of [0.01, 0.01, 9]) shaken.update('m2', near, rtt)
    assert.deepEqual(shaken.own, calm.own)
  })

  test('of a member that was forgotten begins anew', () => {
    const [kept, forgot] = [1, 2].map(() => new Vivaldi(new Random(1))) as [Vivaldi, Vivaldi]
    for (const vivaldi of [kept, forgot]) for (const rtt of [0.01, 0.01]) vivaldi.update('m2', near, rtt)
    forgot.forget('m2')
    for (const vivaldi of [kept, forgot]) vivaldi.update('m2', near, 5)
    assert.notDeepEqual(forgot.own, kept.own)
  })

  test('with numbers that no honest member has is refused, and changes nothing', () => {
    const vivaldi = new Vivaldi(new Random(1))
    const before = vivaldi.own
    const lies: Partial<Coordinate>[] = [
      { vector: [1e308, 0, 0, 0, 0, 0, 0, 0] },
      { vector: [0, 0, 0, 0, 0, 0, 0, -20.1] },
      { height: 21 },
      { height: -1e-9 },
      { adjustment: -21 },
      { error: -0.1 },
      { error: 1.6 },
      { error: Number.POSITIVE_INFINITY },
    ]
    for (const lie of lies) {
      assert.notEqual(vivaldi.update('m2', { ...near, ...lie }, 0.01), undefined, JSON.stringify(lie))
    }
    assert.notEqual(vivaldi.update('m2', near, Number.NaN), undefined)
    assert.equal(vivaldi.own, before)
    assert.equal(vivaldi.resets, 0)
  })

  test('whose step would throw us out of the system, though all that is told lies within bounds, is refused and changes nothing', () => {
    const [us, untouched] = [1, 2].map(() => new Vivaldi(new Random(1))) as [Vivaldi, Vivaldi]
    for (const vivaldi of [us, untouched]) {
      for (let round = 0; round < 200; round++) vivaldi.update('m2', near, 0.01)
    }
    const before = us.own
    const [first, ...others] = before.vector as [number, ...number[]]
    // At our very place but for its height, and its adjustment hides that: a tiny distance divides a great force.
    const adjustment = 1e-5 - 19 - before.height - before.adjustment
    const liar = coordinate([first + 1.2e-6, ...others], { error: 0, adjustment, height: 19 })
    assert.match(us.update('liar', liar, 0.4) ?? '', /would move ours more than 20 s away/)
    assert.equal(us.own, before)
    assert.equal(us.resets, 0)
    assert.ok(Math.abs(distance(us.own, near) - 0.01) < 0.001)
    // Neither the round trips of the liar nor the adjustments have kept anything of it.
    for (const vivaldi of [us, untouched]) vivaldi.update('liar', near, 0.02)
    for (const vivaldi of [us, untouched]) for (let round = 0; round < 30; round++) vivaldi.update('m2', near, 0.01)
    assert.deepEqual(us.own, untouched.own)
  })

  test('after whatever lies, honest members are taken again', () => {
    for (const lies of [5, 20, 60]) {
      const vivaldi = new Vivaldi(new Random(1))
      for (let round = 0; round < lies; round++) {
        // All within bounds: from one end to the other, and nothing wrong, it says.
        const end = round % 2 === 0 ? 20 : -20
        vivaldi.update('liar', coordinate(new Array<number>(8).fill(end), { error: 0, height: 20 }), 0.001)
      }
      for (let round = 0; round < 1000; round++) {
        assert.equal(vivaldi.update(`m${round % 10}`, near, 0.02), undefined, `round ${round} after ${lies} lies`)
      }
      assert.ok(Math.abs(distance(vivaldi.own, near) - 0.02) < 0.002, `${distance(vivaldi.own, near)} s`)
    }
  })

  test('that comes to nothing begins our own coordinate anew, and counts', () => {
    const vivaldi = new Vivaldi(new Random(1), coordinate([1e300, 0, 0, 0, 0, 0, 0, 0]))
    assert.equal(vivaldi.update('m2', near, 0.01), undefined)
    assert.equal(vivaldi.resets, 1)
    assert.deepEqual(vivaldi.own, freshCoordinate())
  })
})
