/** What can go wrong with a data set of a hub, and the next step. */
export const codes = {
  BadRevision: '“{{revision}}” is not the name of a branch, a tag or a commit.',
  DatasetHubOffline: 'This installation works without a network. Upload a file instead.',
  DescriptionTooLarge: 'This request is larger than the {{megabytes}} MB that are allowed here.',
  NotFromHub: 'This data set was not fetched from a hub, so it has no other subset, split or revision.',
  choose_split: 'There are several splits: {{choices}}.',
  choose_subset: 'The data set has several subsets: {{choices}}.',
  hub_answer: 'What the hub {{endpoint}} says about “{{reference}}” can not be understood.',
  hub_busy: 'The hub {{endpoint}} gets too many requests from here.',
  hub_damaged_file: '{{file}} arrived with another content than the hub promised, twice.',
  hub_gated: '“{{reference}}” is only given to those who accepted its terms.',
  hub_no_data_files: '“{{reference}}” has no file that can be read here.',
  hub_not_found: 'There is no open data set “{{reference}}” at {{endpoint}}.',
  hub_script_only: '“{{reference}}” is loaded by a program of its own ({{script}}); none is run here.',
  hub_too_large: 'The files have {{megabytes}} MB; {{allowed}} MB are allowed here.',
  hub_unreachable: 'The hub {{endpoint}} can not be reached, or broke off.',
  no_such_split: 'There is no split “{{split}}”; there is: {{choices}}.',
  no_such_subset: 'The data set has no subset “{{subset}}”; it has: {{choices}}.',
}

export const hints = {
  choose_split: 'Choose one of them.',
  choose_subset: 'Choose one of them.',
  hub_answer: 'Check the address of the hub in the settings, or choose another data set.',
  hub_busy: 'Wait some minutes, then try it again: what has arrived is kept.',
  hub_damaged_file:
    'It may be changing at this moment, or the network is at fault. Try it again later.',
  hub_gated: 'Accept them on its page, download it yourself and upload the files here.',
  hub_no_data_files:
    'JSON, JSON lines, CSV, TSV, text and Parquet are read, also as .gz or .zip. Choose another data set, or upload a file.',
  hub_not_found:
    'Check how it and its revision are written. A private one has to be downloaded by its owner and uploaded here.',
  hub_script_only:
    'Export its rows elsewhere, as JSON lines for example, and upload that file.',
  hub_too_large: 'Choose a smaller subset or split, or have the limit of uploads raised.',
  hub_unreachable: 'Check the network, then try it again: what has arrived is kept.',
  no_such_split: 'Choose one of these.',
  no_such_subset: 'Choose one of these.',
}
