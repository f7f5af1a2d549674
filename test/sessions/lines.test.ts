import fc from 'fast-check'
import t from 'tap'
import { createLines } from '../../src/sessions/lines.ts'

const named = (name: string) => ({ owner: name.slice(0, 1), name })

t.test('one of each owner is served, then the next of each', async (t) => {
  const rows = [
    { name: 'nobody', come: '', want: '' },
    { name: 'each with one', come: 'a1 b1 c1', want: 'a1 b1 c1' },
    { name: 'one with many who came first', come: 'a1 a2 a3 b1 c1 b2', want: 'a1 b1 c1 a2 b2 a3' },
  ]
  for (const { name, come, want } of rows) {
    t.test(name, async (t) => {
      const lines = createLines<ReturnType<typeof named>>()
      for (const one of come.split(' ').filter(Boolean)) lines.add(named(one))
      const names = want.split(' ').filter(Boolean)
      t.strictSame(
        lines.inOrder().map((waiter) => waiter.name),
        names,
      )
      t.strictSame(
        names.map(() => lines.next()?.name),
        names,
      )
      t.equal(lines.next(), undefined)
      t.strictSame([lines.size(), lines.owners()], [0, 0])
    })
  }
})

t.test('whatever comes and goes, nobody waits for longer than was foretold if nobody else comes', async () => {
  const steps = fc.array(
    fc.record({ what: fc.constantFrom('add', 'next', 'remove'), owner: fc.constantFrom('a', 'b', 'c', 'd') }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, fc.constantFrom('a', 'b', 'e'), (all, newcomer) => {
      const lines = createLines<ReturnType<typeof named>>()
      for (const [n, { what, owner }] of all.entries()) {
        const [first] = lines.inOrder()
        if (what === 'add') lines.add(named(`${owner}${n}`))
        else if (what === 'remove' && first) lines.remove(first)
        else if (lines.next() !== first) return false
      }
      const ahead = lines.ahead(newcomer)
      const one = named(`${newcomer} is new`)
      lines.add(one)
      const order = lines.inOrder()
      const served = order.map(() => lines.next())
      return served.every((waiter, n) => waiter === order[n]) && order.indexOf(one) <= ahead && lines.size() === 0
    }),
  )
})
