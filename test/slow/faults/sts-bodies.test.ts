import t from 'tap'
import { eachFaultOfSts } from './sts-course.ts'

eachFaultOfSts(t, [
  { name: "a gateway's HTML", fault: { kind: 'html' } },
  { name: 'nothing at all', fault: { kind: 'empty' } },
  { name: 'JSON cut short', fault: { kind: 'truncated' } },
  { name: 'a reset in the middle', fault: { kind: 'resetMidBody' } },
  { name: 'garbage', fault: { kind: 'garbage' } },
  { name: 'a body of 10 GB', fault: { kind: 'huge', bytes: 10 * 1024 ** 3 } },
  { name: 'a body without end', fault: { kind: 'huge' } },
])
