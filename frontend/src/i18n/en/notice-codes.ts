/** Refusals about targets of notices, and why a message did not arrive. */
export const codes = {
  UnreadableAddress:
    'This is no address that messages can be sent to. Give an https address, or choose a service and fill in what it asks for.',
  ServiceNotAllowed:
    'Messages can not be sent with {{scheme}}://. Choose one of the services that are listed, or a webhook with https://.',
  AddressOptionNotAllowed: 'The option “{{option}}” can not be used in an address here; leave it out.',
  InsecureAddress:
    'With {{scheme}}:// messages and passwords can be read on the way. Use {{safer}}://, or have the operator name the server in EASYTUNE_PRIVATE_TARGETS.',
  PrivateAddress:
    '{{host}} lies in the private network of this server. The operator can allow it by naming it with its port in EASYTUNE_PRIVATE_TARGETS.',
  AddressNotUnderstood:
    'The service does not understand this address: a part is missing or has the wrong form. Compare it with what the service shows.',
  AddressUnreadable:
    'The address was stored with another secret key and can not be read. Enter it again.',
  TooManyTargets_one: 'There is {{count, number}} target already, as many as there may be. Remove one first.',
  TooManyTargets_other:
    'There are {{count, number}} targets already, as many as there may be. Remove one first.',
  TargetChecksBusy:
    'Other targets are being tested at the moment. Try it again in a few seconds.',
  NoticeTargetNotFound: 'This target does not exist (any more).',
}
