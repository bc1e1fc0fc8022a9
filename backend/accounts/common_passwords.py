"""Passwords (and the words that people dress up to 12 characters) that are guessed first.

Own short list, lower case. Digits and signs at the ends are cut off before comparing, so
`password` also stands for `Password2024!!`.
"""

COMMON = frozenset(
    """
    password passwort passw0rd passwords passphrase mypassword yourpassword newpassword thepassword
    defaultpassword temppassword testpassword adminpassword rootpassword userpassword
    passwordpassword
    secret secretpassword topsecret verysecret notsecret changeme changemenow changeit changethis
    letmein letmeinnow letmeinplease openup opensesame welcome welcomehome welcomeback welcometo
    admin administrator adminadmin administrateur superadmin sysadmin root rootroot superuser
    default guest guestguest login loginlogin master masterkey masterpassword monkey dragon
    qwerty qwertyuiop qwertyqwerty qwertyuiopas asdfghjkl asdfasdf asdfghjklqwertyuiop zxcvbnm
    iloveyou iloveyouso iloveyoubaby ilovemyself iloveme lovelove loveyou trustno trustnoone
    sunshine princess football baseball basketball superman batman spiderman starwars pokemon
    shadow michael jennifer jordan hunter hunter2 killer charlie ginger summer winter spring autumn
    computer internet whatever freedom nothing something everything cheese cookie banana chocolate
    mustang corvette ferrari porsche harley yankees liverpool arsenal chelsea manchester barcelona
    hello helloworld hellohello hellothere goodbye abcabc abcdef test testtest testing testtesttest
    tester testuser demo demodemo example sample temp temporary tempitemp user username myusername
    correcthorsebatterystaple correcthorse batterystaple thisisapassword thisismypassword
    ihatepasswords idontknow dontknow nopassword passwordagain forgotpassword rememberme
    administrator1 p@ssw0rd p@ssword pa55word pa55w0rd pass1234 abc123abc123 a1b2c3d4e5f6
    1q2w3e4r5t6y
    1qaz2wsx3edc 1qaz2wsx3edc4rfv zaq12wsxcde3 q1w2e3r4t5y6 123qweasdzxc qweasdzxc qazwsxedc
    qazwsxedcrfv asdzxcqwe 123456789abc abc123456789 123456abcdef abcdef123456 123123123123
    112233445566 121212121212 987654321098 111122223333 102030405060 147258369147 159357159357
    woaini woaini1314 woaini520 wodemima mima mimamima nihao nihaonihao zhongguo beijing shanghai
    kakaotalk sarang saranghae naver seoul
    finetune finetuning easytune easytuner llama chatgpt openai huggingface pytorch machinelearning
    deeplearning artificialintelligence languagemodel
    """.split()  # noqa: SIM905  (a list of 200 literals reads worse)
)
