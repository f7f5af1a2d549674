import type { ClaimCondition } from '../../claims/condition.ts'
import type { Template } from '../../template/template.ts'
import type { Path } from './rule.ts'

/** Every condition on a claim with its path, including those of alternatives. */
export function conditionsWithPath({ allow }: Template): (ClaimCondition & { at: Path })[] {
  const terms: { at: Path; claims: readonly ClaimCondition[] | undefined }[] = [
    { at: ['allow'], claims: allow?.claims },
    ...(allow?.any ?? []).map(({ claims }, index) => ({ at: ['allow', 'any', index], claims })),
  ]
  return terms.flatMap(({ at, claims = [] }) =>
    claims.map((condition) => ({ ...condition, at: [...at, 'claims', condition.claim] })),
  )
}
