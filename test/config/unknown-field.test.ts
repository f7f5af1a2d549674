import t from 'tap'
import { meantField } from '../../src/config/unknown-field.ts'
import { configFaults, issuersFile } from '../helpers/config-faults.ts'

t.test('a mistyped field gets a suggestion, and is not quoted', async (t) => {
  const rows = [
    { field: 'algorithm', want: 'did you mean algorithms?' },
    { field: 'Audience', want: 'did you mean audience?' },
    { field: 'secret:hunter2', want: undefined },
    { field: 'secret1', want: undefined },
    { field: 'secret:x', want: undefined },
    { field: 'x', want: undefined },
    { field: 'audience', want: undefined },
  ]
  const known = ['algorithms', 'audience', 'secret']
  for (const { field, want } of rows) t.test(field, async (t) => t.equal(meantField([field], known), want))
})

t.test('the issuers file uses it', async (t) => {
  const entry = { name: 'web', issuer: 'https://web.test', audience: 'a', algorithm: ['RS256'] }
  const [fault] = configFaults(issuersFile(t, [entry]))
  t.equal(fault?.remedy, 'did you mean algorithms?')
})
