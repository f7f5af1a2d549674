import t from 'tap'
import { createFolders } from '../../../../../src/policy/check/lint/colliding-folders.ts'
import { lintSubject } from '../../../../../src/policy/check/lint/rule.ts'
import { settings, statement, template } from '../../../../helpers/templates.ts'

type Parts = Record<string, unknown>

const lintSettings = { ...settings, issuers: ['app', 'web'], severalIssuers: true }
/** A template for the callers of `app`. */
const folders = (...keys: string[]): Parts => ({
  allow: { issuer: 'app' },
  sharedBy: ['team'],
  policy: { Version: '3', Statement: keys.map(statement) },
})

t.test('the work grows with the number of folders, not of pairs', async (t) => {
  const kinds: Record<string, (index: number) => Parts> = {
    'folders of their own': (index) => folders(`f${index}/\${jwt:sub}/*`),
    'one folder': () => folders('users/${jwt:sub}/*'),
    'one folder, with albums': (index) => folders(`users/\${jwt:sub}/a${index}/*`),
    'folders for everybody': (index) => folders(`f${index}/${index % 2 ? '${jwt:sub}/' : ''}*`),
    'a shared folder over many': (index) => folders(index === 0 ? 't/${jwt:team}/*' : `t/\${jwt:team}/a${index}/*`),
  }
  for (const [name, parts] of Object.entries(kinds)) {
    t.test(name, async (t) => {
      const subjects = Array.from({ length: 5000 }, (_, index) =>
        lintSubject(template(parts(index), 't'), lintSettings),
      )
      const spent = (count: number) => {
        const times = Array.from({ length: 3 }, () => {
          const start = process.cpuUsage()
          const folders = createFolders()
          t.strictSame(subjects.slice(0, count).flatMap(folders.add), [])
          t.equal(folders.shared().size, 0)
          const { user, system } = process.cpuUsage(start) // others may keep the machine busy
          return (user + system) / 1000
        })
        return Math.min(...times)
      }
      spent(500) // so that the first is not the one that is compiled
      const ratio = spent(5000) / Math.max(spent(500), 2)
      t.ok(ratio < 40, `ten times as many take ${ratio.toFixed(1)} times as long`)
    })
  }
})
