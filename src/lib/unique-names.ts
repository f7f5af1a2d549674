/**
 * Whether no object of this JSON text names a member twice: parsers keep the last, others that read the same text may keep
 * the first. `value` is what the text was parsed to.
 */
export function hasUniqueNames(json: string, value: unknown): boolean {
  return countMembers(value) === countMemberColons(json)
}

/** Outside of strings, JSON has one colon for each member, so more colons than parsed members means a repeated name. */
function countMemberColons(json: string): number {
  let colons = 0
  let inString = false
  for (let i = 0; i < json.length; i++) {
    const char = json[i]
    if (inString && char === '\\') i++
    else if (char === '"') inString = !inString
    else if (!inString && char === ':') colons++
  }
  return colons
}

function countMembers(root: unknown): number {
  let members = 0
  const pending = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null) continue
    const children = Object.values(value)
    if (!Array.isArray(value)) members += children.length
    for (const child of children) pending.push(child)
  }
  return members
}
