import { readdirSync } from 'node:fs'
import t from 'tap'
import { checkAuditFile } from '../../../src/cli/doctor/audit-file.ts'

t.test('a file that is there, or can be, is right, and the doctor creates none', async (t) => {
  const dir = t.testdir({ 'old.log': '' })
  t.match(await checkAuditFile(`${dir}/old.log`), { lines: [{ status: 'passed', message: /can be appended to/u }] })
  t.match(await checkAuditFile(`${dir}/new.log`), { lines: [{ status: 'passed', message: /can be begun as/u }] })
  t.strictSame(readdirSync(dir), ['old.log'])
})
