import t from 'tap'
import { createBookings } from '../../src/sessions/bookings.ts'

function setUp(random = 0) {
  const time = { now: 0 }
  return {
    time,
    ...createBookings(
      () => time.now,
      () => random,
    ),
  }
}

t.test('owners are told to come one after the other', async (t) => {
  const { book, time } = setUp()
  t.strictSame(
    ['a', 'b', 'c'].map((owner) => book(owner, 2000, 500)),
    [2500, 3000, 3500],
  )
  time.now = 1000
  t.equal(book('d', 0, 500), 3000, 'behind those who were told before, although there would be room now')
  t.equal(book('b', 0, 500), 2000, 'the same instant as before')
  time.now = 3000
  t.equal(book('b', 0, 500), 1500, 'and behind all, when that is over and there was no room')
})

t.test(
  'nobody is told to stay away for more than five minutes, and jitter makes it at most a second more',
  async (t) => {
    t.equal(setUp().book('a', 1e9, 1), 300_000)
    t.equal(setUp(0.999).book('a', 1000, 1), 2000)
  },
)

t.test('the line is for those who come as they were told', async (t) => {
  const { book, share, forget, time } = setUp()
  t.equal(share('a'), 1, 'while nobody is expected')
  book('a', 1000, 500)
  t.equal(share('a'), 0, 'before its time')
  t.equal(share('b'), 0.5, 'for a newcomer')
  time.now = 1500
  t.equal(share('a'), 1)
  t.equal(share('b'), 1)
  book('b', 1000, 500)
  forget('a')
  t.equal(share('a'), 0.5, 'one who has had its place is new')
})
