import t from 'tap'
import { lintTemplate } from '../../../../src/policy/check/lint/lint.ts'
import { lintSubject } from '../../../../src/policy/check/lint/rule.ts'
import { settings, statement, template } from '../../../helpers/templates.ts'

t.test('a claim like sub is taken for a typing error first', async (t) => {
  const rows = [
    { claim: 'subj', first: true },
    { claim: 'Sub', first: true },
    { claim: 'team', first: false },
    { claim: 'org.sub', first: false },
    { claim: 'sub|lower', first: false },
  ]
  for (const { claim, first } of rows) {
    t.test(claim, async (t) => {
      const policy = { Version: '3', Statement: [statement(`users/\${jwt:${claim}}/*`)] }
      const findings = lintTemplate(lintSubject(template({ policy }), { ...settings, issuers: ['app'] }))
      const remedy = findings.find(({ rule }) => rule === 'shared-folder')?.remedy ?? ''
      t.match(remedy, first ? /^did you mean jwt:sub\? / : /^put /u)
    })
  }
})
