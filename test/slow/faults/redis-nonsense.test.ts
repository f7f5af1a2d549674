import t from 'tap'
import { eachFaultOfRedis, type Row } from './redis-course.ts'
import type { Meddle } from './redis-proxy.ts'

const garbage = (bytes: string) => Buffer.from(bytes, 'latin1')
const meddling = (name: string, how: Meddle): Row => ({ name, begin: (_redis, meddle) => meddle(how) })

eachFaultOfRedis(t, [
  meddling('is slow', () => ({ lateMs: 300 })),
  meddling('answers half and hangs up', () => 'cut'),
  meddling('answers garbage', () => garbage('\xff\0\xfe\x01garbage\r\n')),
  meddling('answers as a web server would', () => garbage('HTTP/1.1 502 Bad Gateway\r\n\r\n<html>')),
  meddling('announces an answer without end', () => garbage('$536870911\r\nx')),
  meddling('says OK to everything', () => garbage('+OK\r\n')),
  meddling('refuses everything', () => garbage('-NOAUTH Authentication required.\r\n')),
  meddling('answers with numbers', () => garbage('*3\r\n:1\r\n:-5\r\n:1\r\n')),
])
