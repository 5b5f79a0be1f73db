
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'loopin' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'loopin'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'loopin' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Sign in with the browser and store the tokens')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Print a valid access token')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with a valid access token in its environment')
            [CompletionResult]::new('helper', 'helper', [CompletionResultType]::ParameterValue, 'Give tokens to git, kubectl and docker, each in its own protocol; `setup` prints the client''s configuration')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show what is stored, until when, and which command repairs it')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Revoke the tokens at the provider and forget them')
            [CompletionResult]::new('integration', 'integration', [CompletionResultType]::ParameterValue, 'Add, change, list, show and remove integrations; list the providers that loopin knows')
            [CompletionResult]::new('redirect', 'redirect', [CompletionResultType]::ParameterValue, 'Judge redirect URIs')
            [CompletionResult]::new('stdio', 'stdio', [CompletionResultType]::ParameterValue, 'Serve a program: JSON-RPC 2.0 on standard input and output, one message a line')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check whether this machine is ready for logins, and print how to fix what is not')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show a whole login against a built-in practice provider; nothing leaves this machine')
            [CompletionResult]::new('relay', 'relay', [CompletionResultType]::ParameterValue, 'Forward OAuth callbacks from a domain of your own to fixed targets, byte for byte')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Connect the accounts of an application''s users at third parties, and keep their tokens alive')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the man page')
            [CompletionResult]::new('refresh-worker', 'refresh-worker', [CompletionResultType]::ParameterValue, 'Sends the one refresh request of a grant whose locked file is its standard input')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;login' {
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Ask for this scope too (repeatable)')
            [CompletionResult]::new('--how', '--how', [CompletionResultType]::ParameterName, 'How the answer comes back')
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the URL with this command; %s stands for the URL [default: LOOPIN_BROWSER, BROWSER, the desktop''s own]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Listen on this port; the redirect must be registered with :0, or a relay''s route must end there')
            [CompletionResult]::new('--relay', '--relay', [CompletionResultType]::ParameterName, 'The registered redirect URI is a relay''s, whose route ends on this machine')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Wait this long for the person, such as 90s or 5m; needed where there is neither a terminal nor a browser [default: 5m]')
            [CompletionResult]::new('--prompt', '--prompt', [CompletionResultType]::ParameterName, 'The prompt parameter of OpenID Connect: login, consent, select_account, none')
            [CompletionResult]::new('--login-hint', '--login-hint', [CompletionResultType]::ParameterName, 'Tell the provider who is signing in, such as a mail address')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Add a parameter to the authorization request (repeatable)')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--refresh-token-stdin', '--refresh-token-stdin', [CompletionResultType]::ParameterName, 'Take over a refresh token of another program from standard input, without a browser')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;token' {
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--min-ttl', '--min-ttl', [CompletionResultType]::ParameterName, 'The token must stay valid for at least this long, such as 60s or 10m')
            [CompletionResult]::new('--rejected', '--rejected', [CompletionResultType]::ParameterName, 'A token with this SHA-256 (hexadecimal, 8 digits or more) was refused: renew it if it is still the stored one')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How the token is written')
            [CompletionResult]::new('--write', '--write', [CompletionResultType]::ParameterName, 'Write it into this file (mode 0600, replaced atomically) instead of to standard output')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--id-token', '--id-token', [CompletionResultType]::ParameterName, 'The id_token of OpenID Connect instead of the access token')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;exec' {
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--min-ttl', '--min-ttl', [CompletionResultType]::ParameterName, 'The token must stay valid for at least this long, such as 60s or 10m')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The variable that holds the token; none that other programs act on, such as PATH')
            [CompletionResult]::new('--fd', '--fd', [CompletionResultType]::ParameterName, 'A file descriptor to read the token from, once, instead of a variable')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;helper' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('git', 'git', [CompletionResultType]::ParameterValue, 'Speak git''s credential protocol; also when called as git-credential-loopin')
            [CompletionResult]::new('kubectl', 'kubectl', [CompletionResultType]::ParameterValue, 'Be kubectl''s exec credential plugin')
            [CompletionResult]::new('docker', 'docker', [CompletionResultType]::ParameterValue, 'Speak docker''s credential protocol; also when called as docker-credential-loopin')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;helper;git' {
            [CompletionResult]::new('--integration', '--integration', [CompletionResultType]::ParameterName, 'This integration only, where several are for the same host')
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;helper;kubectl' {
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--id-token', '--id-token', [CompletionResultType]::ParameterName, 'The id_token of OpenID Connect instead of the access token: what an API server with --oidc-issuer-url wants')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Print a kubeconfig with one user')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;helper;kubectl;setup' {
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--id-token', '--id-token', [CompletionResultType]::ParameterName, 'The id_token of OpenID Connect instead of the access token: what an API server with --oidc-issuer-url wants')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;helper;kubectl;help' {
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Print a kubeconfig with one user')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;helper;kubectl;help;setup' {
            break
        }
        'loopin;helper;kubectl;help;help' {
            break
        }
        'loopin;helper;docker' {
            [CompletionResult]::new('--integration', '--integration', [CompletionResultType]::ParameterName, 'This integration only, where several are for the same host')
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;helper;help' {
            [CompletionResult]::new('git', 'git', [CompletionResultType]::ParameterValue, 'Speak git''s credential protocol; also when called as git-credential-loopin')
            [CompletionResult]::new('kubectl', 'kubectl', [CompletionResultType]::ParameterValue, 'Be kubectl''s exec credential plugin')
            [CompletionResult]::new('docker', 'docker', [CompletionResultType]::ParameterValue, 'Speak docker''s credential protocol; also when called as docker-credential-loopin')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;helper;help;git' {
            break
        }
        'loopin;helper;help;kubectl' {
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Print a kubeconfig with one user')
            break
        }
        'loopin;helper;help;kubectl;setup' {
            break
        }
        'loopin;helper;help;docker' {
            break
        }
        'loopin;helper;help;help' {
            break
        }
        'loopin;status' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Logins in keychains and state directories that are not in use now, too')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;logout' {
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every account and action, in every store of this machine; without a name those of every integration')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Only forget them here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add an integration to the configuration; on a terminal it asks for what is missing')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Change fields of an integration; the others, their order and comments stay as they are')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List all integrations')
            [CompletionResult]::new('providers', 'providers', [CompletionResultType]::ParameterValue, 'List the providers that loopin knows; for a single one, show how to register a client there')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one integration')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove an integration from the configuration, and its client secret from the store')
            [CompletionResult]::new('diagnose', 'diagnose', [CompletionResultType]::ParameterValue, 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;integration;add' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'A provider that loopin knows, such as gitlab; `loopin integration providers` lists them')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'Where your instance of the provider is, such as https://git.acme.example')
            [CompletionResult]::new('--tenant', '--tenant', [CompletionResultType]::ParameterName, 'Your tenant at the provider')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'The provider''s issuer; its endpoints are then discovered')
            [CompletionResult]::new('--authorization-endpoint', '--authorization-endpoint', [CompletionResultType]::ParameterName, 'Where the browser is sent')
            [CompletionResult]::new('--token-endpoint', '--token-endpoint', [CompletionResultType]::ParameterName, 'Where the code is exchanged')
            [CompletionResult]::new('--revocation-endpoint', '--revocation-endpoint', [CompletionResultType]::ParameterName, 'Where tokens are revoked')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client identifier that the provider gave you')
            [CompletionResult]::new('--token-endpoint-auth-method', '--token-endpoint-auth-method', [CompletionResultType]::ParameterName, 'How the client secret is sent: client_secret_basic or client_secret_post')
            [CompletionResult]::new('--redirect-uri', '--redirect-uri', [CompletionResultType]::ParameterName, 'As registered at the provider; several are tried in order [default of add: http://127.0.0.1:0/callback/NAME]')
            [CompletionResult]::new('--relay', '--relay', [CompletionResultType]::ParameterName, 'Redirect URI of a relay whose route ends on this machine, for providers that accept https only')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Ask for this scope (repeatable); set replaces the whole list')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--secret-stdin', '--secret-stdin', [CompletionResultType]::ParameterName, 'Read the client secret from standard input and put it into the store; on a terminal it is asked for')
            [CompletionResult]::new('--shared-redirect', '--shared-redirect', [CompletionResultType]::ParameterName, 'Accept a redirect URI that another provider''s integration uses too, where the provider fixes its path')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Replace an integration of this name, with all of its fields; its logins stay')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration;set' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'A provider that loopin knows, such as gitlab; `loopin integration providers` lists them')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'Where your instance of the provider is, such as https://git.acme.example')
            [CompletionResult]::new('--tenant', '--tenant', [CompletionResultType]::ParameterName, 'Your tenant at the provider')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'The provider''s issuer; its endpoints are then discovered')
            [CompletionResult]::new('--authorization-endpoint', '--authorization-endpoint', [CompletionResultType]::ParameterName, 'Where the browser is sent')
            [CompletionResult]::new('--token-endpoint', '--token-endpoint', [CompletionResultType]::ParameterName, 'Where the code is exchanged')
            [CompletionResult]::new('--revocation-endpoint', '--revocation-endpoint', [CompletionResultType]::ParameterName, 'Where tokens are revoked')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client identifier that the provider gave you')
            [CompletionResult]::new('--token-endpoint-auth-method', '--token-endpoint-auth-method', [CompletionResultType]::ParameterName, 'How the client secret is sent: client_secret_basic or client_secret_post')
            [CompletionResult]::new('--redirect-uri', '--redirect-uri', [CompletionResultType]::ParameterName, 'As registered at the provider; several are tried in order [default of add: http://127.0.0.1:0/callback/NAME]')
            [CompletionResult]::new('--relay', '--relay', [CompletionResultType]::ParameterName, 'Redirect URI of a relay whose route ends on this machine, for providers that accept https only')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Ask for this scope (repeatable); set replaces the whole list')
            [CompletionResult]::new('--unset', '--unset', [CompletionResultType]::ParameterName, 'Remove this field, by its name in the configuration file, such as relay or actions.read (repeatable)')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--secret-stdin', '--secret-stdin', [CompletionResultType]::ParameterName, 'Read the client secret from standard input and put it into the store; on a terminal it is asked for')
            [CompletionResult]::new('--shared-redirect', '--shared-redirect', [CompletionResultType]::ParameterName, 'Accept a redirect URI that another provider''s integration uses too, where the provider fixes its path')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration;list' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration;providers' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration;show' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration;remove' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration;diagnose' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration;verify' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;integration;help' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add an integration to the configuration; on a terminal it asks for what is missing')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Change fields of an integration; the others, their order and comments stay as they are')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List all integrations')
            [CompletionResult]::new('providers', 'providers', [CompletionResultType]::ParameterValue, 'List the providers that loopin knows; for a single one, show how to register a client there')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one integration')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove an integration from the configuration, and its client secret from the store')
            [CompletionResult]::new('diagnose', 'diagnose', [CompletionResultType]::ParameterValue, 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;integration;help;add' {
            break
        }
        'loopin;integration;help;set' {
            break
        }
        'loopin;integration;help;list' {
            break
        }
        'loopin;integration;help;providers' {
            break
        }
        'loopin;integration;help;show' {
            break
        }
        'loopin;integration;help;remove' {
            break
        }
        'loopin;integration;help;diagnose' {
            break
        }
        'loopin;integration;help;verify' {
            break
        }
        'loopin;integration;help;help' {
            break
        }
        'loopin;redirect' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge a redirect URI by fourteen rules, each with its number and a remedy')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;redirect;check' {
            [CompletionResult]::new('--sent', '--sent', [CompletionResultType]::ParameterName, 'What an application sends: does it match?')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;redirect;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge a redirect URI by fourteen rules, each with its number and a remedy')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;redirect;help;check' {
            break
        }
        'loopin;redirect;help;help' {
            break
        }
        'loopin;stdio' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;doctor' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Add version, system and the names of environment variables, without their values: paste it into a bug report')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;demo' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Let the practice provider do what this one does differently, such as slack; then refresh, and find the grant dead')
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the URL with this command')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Play the person too: no browser is opened')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;relay' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Send odd queries through every route, compare the bytes, and print the URIs to register')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Print the same routes as the configuration of another server, with logs that hold no codes')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;relay;check' {
            [CompletionResult]::new('--against', '--against', [CompletionResultType]::ParameterName, 'A deployed relay: https://acme.example or http://127.0.0.1:8080')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;relay;export' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;relay;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Send odd queries through every route, compare the bytes, and print the URIs to register')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Print the same routes as the configuration of another server, with logs that hold no codes')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;relay;help;check' {
            break
        }
        'loopin;relay;help;export' {
            break
        }
        'loopin;relay;help;help' {
            break
        }
        'loopin;serve' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge the configuration, its keys and its database; say what to register at each provider')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Put one key in another''s place, while the service runs')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Make the database, or bring it up to this version, and end')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;serve;check' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;serve;keys' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Seal everything that another key has sealed with the current one')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say how many rows each key seals; one that seals none can be taken out of [keys]')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;serve;keys;rotate' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;serve;keys;status' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;serve;keys;help' {
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Seal everything that another key has sealed with the current one')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say how many rows each key seals; one that seals none can be taken out of [keys]')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;serve;keys;help;rotate' {
            break
        }
        'loopin;serve;keys;help;status' {
            break
        }
        'loopin;serve;keys;help;help' {
            break
        }
        'loopin;serve;migrate' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;serve;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge the configuration, its keys and its database; say what to register at each provider')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Put one key in another''s place, while the service runs')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Make the database, or bring it up to this version, and end')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;serve;help;check' {
            break
        }
        'loopin;serve;help;keys' {
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Seal everything that another key has sealed with the current one')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say how many rows each key seals; one that seals none can be taken out of [keys]')
            break
        }
        'loopin;serve;help;keys;rotate' {
            break
        }
        'loopin;serve;help;keys;status' {
            break
        }
        'loopin;serve;help;migrate' {
            break
        }
        'loopin;serve;help;help' {
            break
        }
        'loopin;completions' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;man' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;refresh-worker' {
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Which account, where one integration has several')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'One action of the integration instead of all together')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object instead of text, failures included; not what a helper answers its client')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'loopin;help' {
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Sign in with the browser and store the tokens')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Print a valid access token')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with a valid access token in its environment')
            [CompletionResult]::new('helper', 'helper', [CompletionResultType]::ParameterValue, 'Give tokens to git, kubectl and docker, each in its own protocol; `setup` prints the client''s configuration')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show what is stored, until when, and which command repairs it')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Revoke the tokens at the provider and forget them')
            [CompletionResult]::new('integration', 'integration', [CompletionResultType]::ParameterValue, 'Add, change, list, show and remove integrations; list the providers that loopin knows')
            [CompletionResult]::new('redirect', 'redirect', [CompletionResultType]::ParameterValue, 'Judge redirect URIs')
            [CompletionResult]::new('stdio', 'stdio', [CompletionResultType]::ParameterValue, 'Serve a program: JSON-RPC 2.0 on standard input and output, one message a line')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check whether this machine is ready for logins, and print how to fix what is not')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show a whole login against a built-in practice provider; nothing leaves this machine')
            [CompletionResult]::new('relay', 'relay', [CompletionResultType]::ParameterValue, 'Forward OAuth callbacks from a domain of your own to fixed targets, byte for byte')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Connect the accounts of an application''s users at third parties, and keep their tokens alive')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the man page')
            [CompletionResult]::new('refresh-worker', 'refresh-worker', [CompletionResultType]::ParameterValue, 'Sends the one refresh request of a grant whose locked file is its standard input')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loopin;help;login' {
            break
        }
        'loopin;help;token' {
            break
        }
        'loopin;help;exec' {
            break
        }
        'loopin;help;helper' {
            [CompletionResult]::new('git', 'git', [CompletionResultType]::ParameterValue, 'Speak git''s credential protocol; also when called as git-credential-loopin')
            [CompletionResult]::new('kubectl', 'kubectl', [CompletionResultType]::ParameterValue, 'Be kubectl''s exec credential plugin')
            [CompletionResult]::new('docker', 'docker', [CompletionResultType]::ParameterValue, 'Speak docker''s credential protocol; also when called as docker-credential-loopin')
            break
        }
        'loopin;help;helper;git' {
            break
        }
        'loopin;help;helper;kubectl' {
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Print a kubeconfig with one user')
            break
        }
        'loopin;help;helper;kubectl;setup' {
            break
        }
        'loopin;help;helper;docker' {
            break
        }
        'loopin;help;status' {
            break
        }
        'loopin;help;logout' {
            break
        }
        'loopin;help;integration' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add an integration to the configuration; on a terminal it asks for what is missing')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Change fields of an integration; the others, their order and comments stay as they are')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List all integrations')
            [CompletionResult]::new('providers', 'providers', [CompletionResultType]::ParameterValue, 'List the providers that loopin knows; for a single one, show how to register a client there')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one integration')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove an integration from the configuration, and its client secret from the store')
            [CompletionResult]::new('diagnose', 'diagnose', [CompletionResultType]::ParameterValue, 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work')
            break
        }
        'loopin;help;integration;add' {
            break
        }
        'loopin;help;integration;set' {
            break
        }
        'loopin;help;integration;list' {
            break
        }
        'loopin;help;integration;providers' {
            break
        }
        'loopin;help;integration;show' {
            break
        }
        'loopin;help;integration;remove' {
            break
        }
        'loopin;help;integration;diagnose' {
            break
        }
        'loopin;help;integration;verify' {
            break
        }
        'loopin;help;redirect' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge a redirect URI by fourteen rules, each with its number and a remedy')
            break
        }
        'loopin;help;redirect;check' {
            break
        }
        'loopin;help;stdio' {
            break
        }
        'loopin;help;doctor' {
            break
        }
        'loopin;help;demo' {
            break
        }
        'loopin;help;relay' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Send odd queries through every route, compare the bytes, and print the URIs to register')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Print the same routes as the configuration of another server, with logs that hold no codes')
            break
        }
        'loopin;help;relay;check' {
            break
        }
        'loopin;help;relay;export' {
            break
        }
        'loopin;help;serve' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge the configuration, its keys and its database; say what to register at each provider')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Put one key in another''s place, while the service runs')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Make the database, or bring it up to this version, and end')
            break
        }
        'loopin;help;serve;check' {
            break
        }
        'loopin;help;serve;keys' {
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Seal everything that another key has sealed with the current one')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say how many rows each key seals; one that seals none can be taken out of [keys]')
            break
        }
        'loopin;help;serve;keys;rotate' {
            break
        }
        'loopin;help;serve;keys;status' {
            break
        }
        'loopin;help;serve;migrate' {
            break
        }
        'loopin;help;completions' {
            break
        }
        'loopin;help;man' {
            break
        }
        'loopin;help;refresh-worker' {
            break
        }
        'loopin;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
