/**
 * Anything that looks like a JWT, up to its end. A claim can have another token in it. The second form has white space
 * behind the brace of its header, as some libraries write it.
 */
const TOKEN = /eyJ[\w-]{8,}(?:\.[\w-]*)+|(?:eyA|ew[0ko])[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)+/gu

/** A text in which no token stands, for output that may quote what a person or a client sent. */
export const withoutTokens = (text: string): string => text.replace(TOKEN, '(a token)')
