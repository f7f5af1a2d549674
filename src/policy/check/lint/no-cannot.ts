import type { Rule } from './rule.ts'

/** Examples of what is allowed also pass for a template that allows everything. */
export const noCannot: Rule = {
  id: 'no-cannot',
  severity: 'warning',
  remedy: "add what must stay shut, above all another user's key: cannot: [PutObject users/bob/1.jpg]",
  *check({ template: { examples } }) {
    if (examples.length > 0 && examples.every(({ cannot }) => cannot.length === 0)) {
      yield {
        path: ['examples'],
        message: 'no example says what is refused: these would also pass for a template that allows everything',
      }
    }
  },
}
