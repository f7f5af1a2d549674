import type { Policy, Wish } from './contract.ts'
import { copyOf, find, setText } from './dom.ts'
import type { Language } from './language.ts'
import { known } from './user-panel.ts'

/** A policy that every user without any may ask for, to see the refusal. */
const REFUSED_POLICY = 'user-upload'
/** Chosen first, where the caller has it: it opens the most. */
const FIRST_POLICY = 'user-files'

/** The policies of the caller, with a field for each parameter of the chosen one. */
export function createPolicyPanel(onAsk: (wish: Wish) => void) {
  const form = find('#policy-form', HTMLFormElement)
  const list = find('#policies', HTMLElement)
  const params = find('#params', HTMLElement)
  const submit = find('button', HTMLButtonElement, form)
  let policies: readonly Policy[] = []
  let chosen: Policy | undefined
  let language: Language | undefined

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    showProblems()
    // The browser points at a field that does not fit.
    if (!form.reportValidity()) return
    const fields = [...params.querySelectorAll('input')].map((field) => [field.name, field.value] as const)
    onAsk({ policy: chosen?.name ?? REFUSED_POLICY, params: Object.fromEntries(fields) })
  })

  function choose(policy: Policy | undefined): void {
    chosen = policy
    params.replaceChildren(...Object.keys(policy?.params.properties ?? {}).map(fieldOf))
    showTexts()
  }

  function fieldOf(name: string): HTMLElement {
    const field = copyOf('param-field')
    const input = find('input', HTMLInputElement, field)
    const pattern = chosen?.params.properties[name]?.pattern
    input.name = name
    // Not the attribute `pattern`: it reads `[a-z-]` by the rules of the newer flag `v`, as an error.
    if (pattern !== undefined) {
      const rule = new RegExp(pattern, 'u')
      input.addEventListener('input', () => {
        input.setCustomValidity(rule.test(input.value) ? '' : (find('.help', HTMLElement, field).textContent ?? ''))
      })
    }
    input.addEventListener('input', () => {
      if (input.validity.valid) showProblem(field, '')
    })
    input.setAttribute('aria-describedby', `rule-${name} problem-${name}`)
    find('.help', HTMLElement, field).id = `rule-${name}`
    find('.problem', HTMLElement, field).id = `problem-${name}`
    return field
  }

  /** In words that stay, because the bubble of the browser goes after some seconds, or is never seen. */
  function showProblems(): void {
    for (const field of params.querySelectorAll<HTMLElement>('.param')) {
      const { validity, validationMessage } = find('input', HTMLInputElement, field)
      showProblem(field, validity.valueMissing ? (language?.say('paramMissing') ?? '') : validationMessage)
    }
  }

  function showProblem(field: HTMLElement, problem: string): void {
    const line = find('.problem', HTMLElement, field)
    setText(line, problem)
    line.hidden = problem === ''
    find('input', HTMLInputElement, field).setAttribute('aria-invalid', String(problem !== ''))
  }

  function choiceOf(policy: Policy): HTMLElement {
    const choice = copyOf('policy-choice')
    const radio = find('input', HTMLInputElement, choice)
    radio.value = policy.name
    radio.checked = policy === chosen
    radio.addEventListener('change', () => choose(policy))
    return choice
  }

  function showTexts(): void {
    if (!language) return
    for (const choice of list.querySelectorAll('.choice')) {
      const { value } = find('input', HTMLInputElement, choice)
      const description = policies.find(({ name }) => name === value)?.description ?? ''
      setText(find('.choice-name', HTMLElement, choice), value)
      setText(
        find('.choice-help', HTMLElement, choice),
        known(language, `policy_${value.replaceAll('-', '_')}`, description),
      )
    }
    for (const field of params.children) {
      const { name } = find('input', HTMLInputElement, field)
      const { description = name, pattern = '' } = chosen?.params.properties[name] ?? {}
      setText(find('.field > span', HTMLElement, field), known(language, `param_${name}`, description))
      // `^(?:…)$` says the same as the pattern inside, which is easier to read.
      const rule = pattern.replace(/^\^\(\?:(.*)\)\$$/u, '$1')
      setText(find('.help', HTMLElement, field), rule && language.say('paramRule', { pattern: rule }))
    }
    if (params.querySelector('.problem:not([hidden])')) showProblems()
    setText(submit, language.say(policies.length > 0 ? 'ask' : 'askAnyway'))
  }

  return {
    /** Offers these policies to a caller. */
    offer(offered: readonly Policy[]): void {
      policies = offered
      chosen = offered.find(({ name }) => name === FIRST_POLICY) ?? offered.find(needsNothing) ?? offered[0]
      find('#policy-panel', HTMLElement).hidden = false
      find('#no-policies', HTMLElement).hidden = offered.length > 0
      find('#policy-help', HTMLElement).hidden = offered.length === 0
      list.hidden = offered.length === 0
      for (const choice of list.querySelectorAll('.choice')) choice.remove()
      list.append(...offered.map(choiceOf))
      choose(chosen)
    },
    /** Until it is known what the next caller may use. */
    hide(): void {
      find('#policy-panel', HTMLElement).hidden = true
    },
    busy(busy: boolean): void {
      // Not `disabled`, which would take the focus away.
      submit.setAttribute('aria-busy', String(busy))
      if (language) setText(submit, language.say(busy ? 'asking' : policies.length > 0 ? 'ask' : 'askAnyway'))
    },
    show(next: Language, name: string): void {
      language = next
      setText(find('#no-policies-why', HTMLElement), next.say('noPolicies', { name }))
      showTexts()
    },
  }
}

const needsNothing = ({ params }: Policy) => Object.keys(params.properties).length === 0
