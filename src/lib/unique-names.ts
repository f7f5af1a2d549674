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
    const char = json.charCodeAt(i)
    if (inString && char === BACKSLASH) i++
    else if (char === QUOTE) inString = !inString
    else if (!inString && char === COLON) colons++
  }
  return colons
}

const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c]

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
