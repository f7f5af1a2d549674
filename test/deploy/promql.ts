import { parser } from '@prometheus-io/lezer-promql'

/** What a PromQL expression reads. `faults` are pieces that are no PromQL. */
export type Query = Readonly<{
  faults: readonly string[]
  metrics: readonly string[]
  /** Labels that it selects or groups by. */
  labels: readonly string[]
  /** Selected values, by label, of the operators = and =~ alone; an expression in several pieces. */
  values: readonly (readonly [label: string, value: string])[]
}>

export function readQuery(expr: string): Query {
  const faults: string[] = []
  const metrics: string[] = []
  const labels: string[] = []
  const values: (readonly [string, string])[] = []
  parser.parse(expr).iterate({
    enter({ type, name, from, to, node }) {
      const text = expr.slice(from, to)
      if (type.isError) faults.push(expr.slice(Math.max(0, from - 20), to + 20))
      if (name === 'VectorSelector') metrics.push(textOf(expr, node.getChild('Identifier')))
      if (name === 'LabelName') labels.push(text)
      if (name !== 'UnquotedLabelMatcher' || text.includes('!')) return
      const label = textOf(expr, node.getChild('LabelName'))
      const value = textOf(expr, node.getChild('StringLiteral')).slice(1, -1)
      values.push(...value.split('|').map((one) => [label, one] as const))
    },
  })
  return { faults, metrics, labels, values }
}

const textOf = (expr: string, node: { from: number; to: number } | null) => (node ? expr.slice(node.from, node.to) : '')
