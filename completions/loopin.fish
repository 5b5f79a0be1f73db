# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_loopin_global_optspecs
    string join \n json store= config= v/verbose h/help V/version
end

function __fish_loopin_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_loopin_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_loopin_using_subcommand
    set -l cmd (__fish_loopin_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c loopin -n "__fish_loopin_needs_command" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_needs_command" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_needs_command" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_needs_command" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_needs_command" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "login" -d 'Sign in with the browser and store the tokens'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "token" -d 'Print a valid access token'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "exec" -d 'Run a command with a valid access token in its environment'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "helper" -d 'Give tokens to git, kubectl and docker, each in its own protocol; `setup` prints the client\'s configuration'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "status" -d 'Show what is stored, until when, and which command repairs it'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "logout" -d 'Revoke the tokens at the provider and forget them'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "integration" -d 'Add, change, list, show and remove integrations; list the providers that loopin knows'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "redirect" -d 'Judge redirect URIs'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "stdio" -d 'Serve a program: JSON-RPC 2.0 on standard input and output, one message a line'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "doctor" -d 'Check whether this machine is ready for logins, and print how to fix what is not'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "demo" -d 'Show a whole login against a built-in practice provider; nothing leaves this machine'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "relay" -d 'Forward OAuth callbacks from a domain of your own to fixed targets, byte for byte'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "serve" -d 'Connect the accounts of an application\'s users at third parties, and keep their tokens alive'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "completions" -d 'Print the completions of a shell'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "man" -d 'Print the man page'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "refresh-worker" -d 'Sends the one refresh request of a grant whose locked file is its standard input'
complete -c loopin -n "__fish_loopin_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand login" -l account -d 'Which account, where one integration has several' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l action -d 'One action of the integration instead of all together' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l scope -d 'Ask for this scope too (repeatable)' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l how -d 'How the answer comes back' -r -f -a "auto\t'Open a browser where there is one; over SSH and where there is none, take the pasted address too'
browser\t'Fail if no browser can be opened'
device\t'Show a code to enter on another device'
paste\t'Open none: sign in anywhere, and paste the address at which the browser ends'"
complete -c loopin -n "__fish_loopin_using_subcommand login" -l browser -d 'Open the URL with this command; %s stands for the URL [default: LOOPIN_BROWSER, BROWSER, the desktop\'s own]' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l port -d 'Listen on this port; the redirect must be registered with :0, or a relay\'s route must end there' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l relay -d 'The registered redirect URI is a relay\'s, whose route ends on this machine' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l timeout -d 'Wait this long for the person, such as 90s or 5m; needed where there is neither a terminal nor a browser [default: 5m]' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l prompt -d 'The prompt parameter of OpenID Connect: login, consent, select_account, none' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l login-hint -d 'Tell the provider who is signing in, such as a mail address' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l param -d 'Add a parameter to the authorization request (repeatable)' -r
complete -c loopin -n "__fish_loopin_using_subcommand login" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand login" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand login" -l refresh-token-stdin -d 'Take over a refresh token of another program from standard input, without a browser'
complete -c loopin -n "__fish_loopin_using_subcommand login" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand login" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand login" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand token" -l account -d 'Which account, where one integration has several' -r
complete -c loopin -n "__fish_loopin_using_subcommand token" -l action -d 'One action of the integration instead of all together' -r
complete -c loopin -n "__fish_loopin_using_subcommand token" -l min-ttl -d 'The token must stay valid for at least this long, such as 60s or 10m' -r
complete -c loopin -n "__fish_loopin_using_subcommand token" -l rejected -d 'A token with this SHA-256 (hexadecimal, 8 digits or more) was refused: renew it if it is still the stored one' -r
complete -c loopin -n "__fish_loopin_using_subcommand token" -l format -d 'How the token is written' -r -f -a "raw\t'The token and a line end; in a file the token alone'
json\t'One JSON object, as with --json'
header\t'An Authorization header field'
env\t'ACCESS_TOKEN=... (ID_TOKEN=... with --id-token), quoted for a shell where need be'
curl\t'For curl --config -: a configuration with the Authorization header'"
complete -c loopin -n "__fish_loopin_using_subcommand token" -l write -d 'Write it into this file (mode 0600, replaced atomically) instead of to standard output' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand token" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand token" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand token" -l id-token -d 'The id_token of OpenID Connect instead of the access token'
complete -c loopin -n "__fish_loopin_using_subcommand token" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand token" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand token" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand exec" -l account -d 'Which account, where one integration has several' -r
complete -c loopin -n "__fish_loopin_using_subcommand exec" -l action -d 'One action of the integration instead of all together' -r
complete -c loopin -n "__fish_loopin_using_subcommand exec" -l min-ttl -d 'The token must stay valid for at least this long, such as 60s or 10m' -r
complete -c loopin -n "__fish_loopin_using_subcommand exec" -l env -d 'The variable that holds the token; none that other programs act on, such as PATH' -r
complete -c loopin -n "__fish_loopin_using_subcommand exec" -l fd -d 'A file descriptor to read the token from, once, instead of a variable' -r
complete -c loopin -n "__fish_loopin_using_subcommand exec" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand exec" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand exec" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand exec" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand exec" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -f -a "git" -d 'Speak git\'s credential protocol; also when called as git-credential-loopin'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -f -a "kubectl" -d 'Be kubectl\'s exec credential plugin'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -f -a "docker" -d 'Speak docker\'s credential protocol; also when called as docker-credential-loopin'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and not __fish_seen_subcommand_from git kubectl docker help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -l integration -d 'This integration only, where several are for the same host' -r
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -l account -d 'Which account, where one integration has several' -r
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -l action -d 'One action of the integration instead of all together' -r
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from git" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -l account -d 'Which account, where one integration has several' -r
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -l action -d 'One action of the integration instead of all together' -r
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -l id-token -d 'The id_token of OpenID Connect instead of the access token: what an API server with --oidc-issuer-url wants'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -a "setup" -d 'Print a kubeconfig with one user'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from kubectl" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -l integration -d 'This integration only, where several are for the same host' -r
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -l account -d 'Which account, where one integration has several' -r
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -l action -d 'One action of the integration instead of all together' -r
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from docker" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from help" -f -a "git" -d 'Speak git\'s credential protocol; also when called as git-credential-loopin'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from help" -f -a "kubectl" -d 'Be kubectl\'s exec credential plugin'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from help" -f -a "docker" -d 'Speak docker\'s credential protocol; also when called as docker-credential-loopin'
complete -c loopin -n "__fish_loopin_using_subcommand helper; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand status" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand status" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand status" -l all -d 'Logins in keychains and state directories that are not in use now, too'
complete -c loopin -n "__fish_loopin_using_subcommand status" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand status" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand status" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand logout" -l account -d 'Which account, where one integration has several' -r
complete -c loopin -n "__fish_loopin_using_subcommand logout" -l action -d 'One action of the integration instead of all together' -r
complete -c loopin -n "__fish_loopin_using_subcommand logout" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand logout" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand logout" -l all -d 'Every account and action, in every store of this machine; without a name those of every integration'
complete -c loopin -n "__fish_loopin_using_subcommand logout" -l local -d 'Only forget them here'
complete -c loopin -n "__fish_loopin_using_subcommand logout" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand logout" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand logout" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "add" -d 'Add an integration to the configuration; on a terminal it asks for what is missing'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "set" -d 'Change fields of an integration; the others, their order and comments stay as they are'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "list" -d 'List all integrations'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "providers" -d 'List the providers that loopin knows; for a single one, show how to register a client there'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "show" -d 'Show one integration'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "remove" -d 'Remove an integration from the configuration, and its client secret from the store'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "diagnose" -d 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "verify" -d 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and not __fish_seen_subcommand_from add set list providers show remove diagnose verify help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l provider -d 'A provider that loopin knows, such as gitlab; `loopin integration providers` lists them' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l base-url -d 'Where your instance of the provider is, such as https://git.acme.example' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l tenant -d 'Your tenant at the provider' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l issuer -d 'The provider\'s issuer; its endpoints are then discovered' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l authorization-endpoint -d 'Where the browser is sent' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l token-endpoint -d 'Where the code is exchanged' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l revocation-endpoint -d 'Where tokens are revoked' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l client-id -d 'The client identifier that the provider gave you' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l token-endpoint-auth-method -d 'How the client secret is sent: client_secret_basic or client_secret_post' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l redirect-uri -d 'As registered at the provider; several are tried in order [default of add: http://127.0.0.1:0/callback/NAME]' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l relay -d 'Redirect URI of a relay whose route ends on this machine, for providers that accept https only' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l scope -d 'Ask for this scope (repeatable); set replaces the whole list' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l secret-stdin -d 'Read the client secret from standard input and put it into the store; on a terminal it is asked for'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l shared-redirect -d 'Accept a redirect URI that another provider\'s integration uses too, where the provider fixes its path'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l replace -d 'Replace an integration of this name, with all of its fields; its logins stay'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from add" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l provider -d 'A provider that loopin knows, such as gitlab; `loopin integration providers` lists them' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l base-url -d 'Where your instance of the provider is, such as https://git.acme.example' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l tenant -d 'Your tenant at the provider' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l issuer -d 'The provider\'s issuer; its endpoints are then discovered' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l authorization-endpoint -d 'Where the browser is sent' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l token-endpoint -d 'Where the code is exchanged' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l revocation-endpoint -d 'Where tokens are revoked' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l client-id -d 'The client identifier that the provider gave you' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l token-endpoint-auth-method -d 'How the client secret is sent: client_secret_basic or client_secret_post' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l redirect-uri -d 'As registered at the provider; several are tried in order [default of add: http://127.0.0.1:0/callback/NAME]' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l relay -d 'Redirect URI of a relay whose route ends on this machine, for providers that accept https only' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l scope -d 'Ask for this scope (repeatable); set replaces the whole list' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l unset -d 'Remove this field, by its name in the configuration file, such as relay or actions.read (repeatable)' -r
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l secret-stdin -d 'Read the client secret from standard input and put it into the store; on a terminal it is asked for'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l shared-redirect -d 'Accept a redirect URI that another provider\'s integration uses too, where the provider fixes its path'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from list" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from list" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from providers" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from providers" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from providers" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from providers" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from providers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from providers" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from show" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from show" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from remove" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from remove" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from remove" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from remove" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from diagnose" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from diagnose" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from diagnose" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from diagnose" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from diagnose" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from diagnose" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from verify" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from verify" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from verify" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from verify" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "add" -d 'Add an integration to the configuration; on a terminal it asks for what is missing'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "set" -d 'Change fields of an integration; the others, their order and comments stay as they are'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "list" -d 'List all integrations'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "providers" -d 'List the providers that loopin knows; for a single one, show how to register a client there'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one integration'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove an integration from the configuration, and its client secret from the store'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "diagnose" -d 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work'
complete -c loopin -n "__fish_loopin_using_subcommand integration; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and not __fish_seen_subcommand_from check help" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and not __fish_seen_subcommand_from check help" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and not __fish_seen_subcommand_from check help" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and not __fish_seen_subcommand_from check help" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and not __fish_seen_subcommand_from check help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and not __fish_seen_subcommand_from check help" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and not __fish_seen_subcommand_from check help" -f -a "check" -d 'Judge a redirect URI by fourteen rules, each with its number and a remedy'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and not __fish_seen_subcommand_from check help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from check" -l sent -d 'What an application sends: does it match?' -r
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from check" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from check" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from help" -f -a "check" -d 'Judge a redirect URI by fourteen rules, each with its number and a remedy'
complete -c loopin -n "__fish_loopin_using_subcommand redirect; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand stdio" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand stdio" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand stdio" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand stdio" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand stdio" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand stdio" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand doctor" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand doctor" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand doctor" -l report -d 'Add version, system and the names of environment variables, without their values: paste it into a bug report'
complete -c loopin -n "__fish_loopin_using_subcommand doctor" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand doctor" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand demo" -l provider -d 'Let the practice provider do what this one does differently, such as slack; then refresh, and find the grant dead' -r
complete -c loopin -n "__fish_loopin_using_subcommand demo" -l browser -d 'Open the URL with this command' -r
complete -c loopin -n "__fish_loopin_using_subcommand demo" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand demo" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand demo" -l yes -d 'Play the person too: no browser is opened'
complete -c loopin -n "__fish_loopin_using_subcommand demo" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand demo" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand demo" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -f -a "check" -d 'Send odd queries through every route, compare the bytes, and print the URIs to register'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -f -a "export" -d 'Print the same routes as the configuration of another server, with logs that hold no codes'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and not __fish_seen_subcommand_from check export help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from check" -l against -d 'A deployed relay: https://acme.example or http://127.0.0.1:8080' -r
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from check" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from check" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from export" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from export" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from export" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from export" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from help" -f -a "check" -d 'Send odd queries through every route, compare the bytes, and print the URIs to register'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from help" -f -a "export" -d 'Print the same routes as the configuration of another server, with logs that hold no codes'
complete -c loopin -n "__fish_loopin_using_subcommand relay; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -f -a "check" -d 'Judge the configuration, its keys and its database; say what to register at each provider'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -f -a "keys" -d 'Put one key in another\'s place, while the service runs'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -f -a "migrate" -d 'Make the database, or bring it up to this version, and end'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and not __fish_seen_subcommand_from check keys migrate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from check" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from check" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -f -a "rotate" -d 'Seal everything that another key has sealed with the current one'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -f -a "status" -d 'Say how many rows each key seals; one that seals none can be taken out of [keys]'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from keys" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from migrate" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from migrate" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from migrate" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from migrate" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from migrate" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from help" -f -a "check" -d 'Judge the configuration, its keys and its database; say what to register at each provider'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from help" -f -a "keys" -d 'Put one key in another\'s place, while the service runs'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from help" -f -a "migrate" -d 'Make the database, or bring it up to this version, and end'
complete -c loopin -n "__fish_loopin_using_subcommand serve; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand completions" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand completions" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand completions" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand completions" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand completions" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand man" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand man" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand man" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand man" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand man" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand refresh-worker" -l account -d 'Which account, where one integration has several' -r
complete -c loopin -n "__fish_loopin_using_subcommand refresh-worker" -l action -d 'One action of the integration instead of all together' -r
complete -c loopin -n "__fish_loopin_using_subcommand refresh-worker" -l store -d 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]' -r -f -a "keychain\t'The keychain of the operating system'
file\t'Encrypted files, under a key file or a passphrase'"
complete -c loopin -n "__fish_loopin_using_subcommand refresh-worker" -l config -d 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform\'s place]' -r -F
complete -c loopin -n "__fish_loopin_using_subcommand refresh-worker" -l json -d 'Print one JSON object instead of text, failures included; not what a helper answers its client'
complete -c loopin -n "__fish_loopin_using_subcommand refresh-worker" -s v -l verbose -d 'Say more on standard error'
complete -c loopin -n "__fish_loopin_using_subcommand refresh-worker" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loopin -n "__fish_loopin_using_subcommand refresh-worker" -s V -l version -d 'Print version'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "login" -d 'Sign in with the browser and store the tokens'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "token" -d 'Print a valid access token'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "exec" -d 'Run a command with a valid access token in its environment'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "helper" -d 'Give tokens to git, kubectl and docker, each in its own protocol; `setup` prints the client\'s configuration'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "status" -d 'Show what is stored, until when, and which command repairs it'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "logout" -d 'Revoke the tokens at the provider and forget them'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "integration" -d 'Add, change, list, show and remove integrations; list the providers that loopin knows'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "redirect" -d 'Judge redirect URIs'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "stdio" -d 'Serve a program: JSON-RPC 2.0 on standard input and output, one message a line'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "doctor" -d 'Check whether this machine is ready for logins, and print how to fix what is not'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "demo" -d 'Show a whole login against a built-in practice provider; nothing leaves this machine'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "relay" -d 'Forward OAuth callbacks from a domain of your own to fixed targets, byte for byte'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "serve" -d 'Connect the accounts of an application\'s users at third parties, and keep their tokens alive'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "completions" -d 'Print the completions of a shell'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "man" -d 'Print the man page'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "refresh-worker" -d 'Sends the one refresh request of a grant whose locked file is its standard input'
complete -c loopin -n "__fish_loopin_using_subcommand help; and not __fish_seen_subcommand_from login token exec helper status logout integration redirect stdio doctor demo relay serve completions man refresh-worker help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from helper" -f -a "git" -d 'Speak git\'s credential protocol; also when called as git-credential-loopin'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from helper" -f -a "kubectl" -d 'Be kubectl\'s exec credential plugin'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from helper" -f -a "docker" -d 'Speak docker\'s credential protocol; also when called as docker-credential-loopin'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from integration" -f -a "add" -d 'Add an integration to the configuration; on a terminal it asks for what is missing'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from integration" -f -a "set" -d 'Change fields of an integration; the others, their order and comments stay as they are'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from integration" -f -a "list" -d 'List all integrations'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from integration" -f -a "providers" -d 'List the providers that loopin knows; for a single one, show how to register a client there'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from integration" -f -a "show" -d 'Show one integration'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from integration" -f -a "remove" -d 'Remove an integration from the configuration, and its client secret from the store'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from integration" -f -a "diagnose" -d 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from integration" -f -a "verify" -d 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from redirect" -f -a "check" -d 'Judge a redirect URI by fourteen rules, each with its number and a remedy'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from relay" -f -a "check" -d 'Send odd queries through every route, compare the bytes, and print the URIs to register'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from relay" -f -a "export" -d 'Print the same routes as the configuration of another server, with logs that hold no codes'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from serve" -f -a "check" -d 'Judge the configuration, its keys and its database; say what to register at each provider'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from serve" -f -a "keys" -d 'Put one key in another\'s place, while the service runs'
complete -c loopin -n "__fish_loopin_using_subcommand help; and __fish_seen_subcommand_from serve" -f -a "migrate" -d 'Make the database, or bring it up to this version, and end'
