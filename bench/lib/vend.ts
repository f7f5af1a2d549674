/** Asks once for a policy. */
export const ask = (url: string, token: string, policy = 'user-upload'): Promise<Response> =>
  fetch(`${url}/v1/credentials`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ policy }),
  })

/** @throws if the answer is not a 200 */
export async function answerOf(url: string, token: string): Promise<string> {
  const response = await ask(url, token)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text}`)
  return text
}
