/** Drafts of the wizard that were not started; the same cache as the wizard's. */
export { draftListQuery } from '../wizard/api'
