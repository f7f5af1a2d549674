/** An element that the page surely has. */
export function find<T extends Element>(selector: string, type: new () => T, root: ParentNode = document): T {
  const element = root.querySelector(selector)
  if (!(element instanceof type)) throw new TypeError(`the page has no ${selector}`)
  return element
}

/** A copy of the single element in a `<template>`. */
export function copyOf(id: string): HTMLElement {
  const copy = find(`#${id}`, HTMLTemplateElement).content.firstElementChild?.cloneNode(true)
  if (!(copy instanceof HTMLElement)) throw new TypeError(`template ${id} is empty`)
  return copy
}

/** Sets the text, unless it is there already: a live region would read it again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Offers bytes to the visitor as a download. */
export function save(body: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(body)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
