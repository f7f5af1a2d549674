/** A person who may sign in to the demo, with the `scope` that the token carries. */
export type DemoUser = Readonly<{ id: string; name: string; scope: string }>

/** Three people who show three outcomes: many policies, some, none. */
export const DEMO_USERS: readonly DemoUser[] = [
  { id: 'alice', name: 'Alice', scope: 'oss.upload oss.files oss.download' },
  { id: 'bob', name: 'Bob', scope: 'oss.upload' },
  { id: 'carol', name: 'Carol', scope: 'profile' },
]
