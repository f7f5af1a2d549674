import t from 'tap'
import { inTurns, median, percentile } from '../../bench/lib/statistics.ts'

t.test('the median is the middle value, or the mean of the two middle values', async (t) => {
  const rows = [
    { values: [7], want: 7 },
    { values: [10, 9, 2], want: 9 },
    { values: [4, 1, 100, 2], want: 3 },
    { values: [], want: Number.NaN },
  ]
  for (const { values, want } of rows) t.same(median(values), want, JSON.stringify(values))
})

t.test('a percentile is a measured value, by nearest rank', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  const rows = [
    { values: hundred, share: 0.99, want: 99 },
    { values: hundred, share: 1, want: 100 },
    { values: hundred, share: 0, want: 1 },
    { values: [3, 1, 2], share: 0.99, want: 3 },
    { values: [3, 1, 2], share: 0.5, want: 2 },
    { values: [], share: 0.5, want: Number.NaN },
  ]
  for (const { values, share, want } of rows) t.same(percentile(values, share), want, `${values.length} at ${share}`)
})

t.test('two sides are measured in turns, and neither is always first', async (t) => {
  const order: string[] = []
  const one = (name: string) => async () => order.push(name)
  const measured = await inTurns(3, one('a'), one('b'))
  t.equal(order.join(''), 'abbaab')
  t.strictSame(measured, { ours: [1, 4, 5], rival: [2, 3, 6] })
})
