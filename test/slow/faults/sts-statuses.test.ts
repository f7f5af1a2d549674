import t from 'tap'
import type { Fault } from '../../../sandbox/faults.ts'
import { eachFaultOfSts } from './sts-course.ts'

const throttled = (retryAfter?: string): Fault => ({
  kind: 'status',
  status: 429,
  ...(retryAfter !== undefined && { retryAfter }),
})

eachFaultOfSts(t, [
  { name: '429', fault: throttled() },
  { name: '429 with Retry-After', fault: throttled('1') },
  { name: '429 until tomorrow', fault: throttled('86400') },
  { name: '429 with a date', fault: throttled('Fri, 31 Dec 2100 23:59:59 GMT') },
  { name: '429 with nonsense', fault: throttled('-1, soon') },
  { name: '500', fault: { kind: 'status', status: 500 } },
])
