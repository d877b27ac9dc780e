import { KeptForms } from '../cache/kept-forms.ts'

/** The forms that are kept, of all servers in a process together: they share the bound. */
export const keptForms = new KeptForms()
