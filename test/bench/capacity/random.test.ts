import t from 'tap'
import { createRandom } from '../../../bench/capacity/random.ts'

const DRAWS = 20_000

const moments = (draw: () => number) => {
  const values = Array.from({ length: DRAWS }, draw)
  const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS }
}

t.test('means and variances fit the distributions', async (t) => {
  const random = createRandom(5)
  const rows = [
    { name: 'uniform', draw: () => random.uniform(), mean: 1 / 2, variance: 1 / 12 },
    { name: 'exponential', draw: () => random.exponential(40), mean: 40, variance: 1600 },
    { name: 'below', draw: () => random.below(11), mean: 5, variance: 10 },
    ...[0.2, 3, 29, 31, 5000].map((mean) => ({
      name: `Poisson ${mean}`,
      draw: () => random.poisson(mean),
      mean,
      variance: mean,
    })),
  ]
  for (const { name, draw, mean, variance } of rows) {
    t.test(name, async (t) => {
      const found = moments(draw)
      t.ok(Math.abs(found.mean - mean) < (4 * Math.sqrt(variance)) / Math.sqrt(DRAWS), `mean ${found.mean}`)
      t.ok(Math.abs(found.variance / variance - 1) < 0.06, `variance ${found.variance}`)
    })
  }
})

t.test('counts are whole numbers, and a mean of 0 gives 0', async (t) => {
  const random = createRandom(5)
  t.equal(random.poisson(0), 0)
  for (const mean of [0.5, 30, 31, 1e6]) t.ok(Number.isInteger(random.poisson(mean)))
})
