/** Set-up and sign-in. */
export default {
  username: 'User name',
  usernameRule: '2 to 64 letters, digits or . @ - _',
  password: 'Password',
  showPassword: 'Show password',
  required: 'This is needed.',
  signIn: {
    title: 'Sign in',
    purpose: 'Fine-tune language models on your own hardware.',
    submit: 'Sign in',
  },
  setup: {
    title: 'Set up EasyTune',
    purpose: 'Create the first administrator. There is no default password.',
    token: 'Setup token',
    tokenHelp:
      'The server printed it when it started. It also stands in the file “setup_token” in the data folder.',
    submit: 'Create administrator',
  },
  rules: {
    length: 'At least {{min}} characters',
    notTheName: 'More than the user name with a few additions',
    varied: 'At least five different characters',
    met: 'met',
    unmet: 'not yet met',
    failed: 'The password does not meet every rule below.',
  },
}
