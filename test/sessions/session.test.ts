import t from 'tap'
import { sessionOf, standing } from '../../src/sessions/session.ts'
import { manualClock } from '../helpers/clock.ts'
import { credentials } from '../helpers/vending.ts'

const NOW = Date.UTC(2026, 0, 1)
const MINUTE = 60_000

t.test('a session lives from before STS was asked, and never longer than was asked for', async (t) => {
  const asked = { now: NOW, monotonic: 5000, durationSeconds: 3600 }
  const rows = [
    { name: 'as asked', expiresAt: NOW + 60 * MINUTE, want: 60 * MINUTE },
    { name: 'less than asked', expiresAt: NOW + 20 * MINUTE, want: 20 * MINUTE },
    { name: 'our date is 10 minutes behind', expiresAt: NOW + 70 * MINUTE, want: 60 * MINUTE },
    { name: 'our date is 10 minutes ahead', expiresAt: NOW + 50 * MINUTE, want: 50 * MINUTE },
    { name: 'over before it began', expiresAt: NOW - MINUTE, want: -MINUTE },
  ]
  for (const { name, expiresAt, want } of rows) {
    const session = sessionOf(credentials(1, expiresAt), asked)
    t.equal(session.endsAt - asked.monotonic, want, name)
    t.equal(session.expiresAt, expiresAt, 'what a caller is told is what STS said')
  }
})

t.test('how a session stands when time passes and when the date is set', async (t) => {
  const rows = [
    { name: 'new', passed: 0, step: 0, want: 'live' },
    { name: 'with just enough left', passed: 45 * MINUTE, step: 0, want: 'live' },
    { name: 'with too little left', passed: 45 * MINUTE + 1, step: 0, want: 'over' },
    { name: 'the date is set an hour back', passed: 0, step: -60 * MINUTE, want: 'live' },
    { name: 'and does not make it live longer', passed: 46 * MINUTE, step: -60 * MINUTE, want: 'over' },
    { name: 'the date is set an hour ahead', passed: 0, step: 60 * MINUTE, want: 'doubtful' },
  ]
  for (const { name, passed, step, want } of rows) {
    const clock = manualClock(NOW)
    const session = sessionOf(credentials(1, NOW + 60 * MINUTE), { now: NOW, monotonic: 0, durationSeconds: 3600 })
    await clock.advance(passed)
    clock.step(step)
    t.equal(standing(session, 15 * MINUTE, clock), want, name)
  }
})
