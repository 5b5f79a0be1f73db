
use builtin;
use str;

set edit:completion:arg-completer[loopin] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'loopin'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'loopin'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand login 'Sign in with the browser and store the tokens'
            cand token 'Print a valid access token'
            cand exec 'Run a command with a valid access token in its environment'
            cand helper 'Give tokens to git, kubectl and docker, each in its own protocol; `setup` prints the client''s configuration'
            cand status 'Show what is stored, until when, and which command repairs it'
            cand logout 'Revoke the tokens at the provider and forget them'
            cand integration 'Add, change, list, show and remove integrations; list the providers that loopin knows'
            cand redirect 'Judge redirect URIs'
            cand stdio 'Serve a program: JSON-RPC 2.0 on standard input and output, one message a line'
            cand doctor 'Check whether this machine is ready for logins, and print how to fix what is not'
            cand demo 'Show a whole login against a built-in practice provider; nothing leaves this machine'
            cand relay 'Forward OAuth callbacks from a domain of your own to fixed targets, byte for byte'
            cand serve 'Connect the accounts of an application''s users at third parties, and keep their tokens alive'
            cand completions 'Print the completions of a shell'
            cand man 'Print the man page'
            cand refresh-worker 'Sends the one refresh request of a grant whose locked file is its standard input'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;login'= {
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --scope 'Ask for this scope too (repeatable)'
            cand --how 'How the answer comes back'
            cand --browser 'Open the URL with this command; %s stands for the URL [default: LOOPIN_BROWSER, BROWSER, the desktop''s own]'
            cand --port 'Listen on this port; the redirect must be registered with :0, or a relay''s route must end there'
            cand --relay 'The registered redirect URI is a relay''s, whose route ends on this machine'
            cand --timeout 'Wait this long for the person, such as 90s or 5m; needed where there is neither a terminal nor a browser [default: 5m]'
            cand --prompt 'The prompt parameter of OpenID Connect: login, consent, select_account, none'
            cand --login-hint 'Tell the provider who is signing in, such as a mail address'
            cand --param 'Add a parameter to the authorization request (repeatable)'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --refresh-token-stdin 'Take over a refresh token of another program from standard input, without a browser'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;token'= {
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --min-ttl 'The token must stay valid for at least this long, such as 60s or 10m'
            cand --rejected 'A token with this SHA-256 (hexadecimal, 8 digits or more) was refused: renew it if it is still the stored one'
            cand --format 'How the token is written'
            cand --write 'Write it into this file (mode 0600, replaced atomically) instead of to standard output'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --id-token 'The id_token of OpenID Connect instead of the access token'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;exec'= {
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --min-ttl 'The token must stay valid for at least this long, such as 60s or 10m'
            cand --env 'The variable that holds the token; none that other programs act on, such as PATH'
            cand --fd 'A file descriptor to read the token from, once, instead of a variable'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;helper'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand git 'Speak git''s credential protocol; also when called as git-credential-loopin'
            cand kubectl 'Be kubectl''s exec credential plugin'
            cand docker 'Speak docker''s credential protocol; also when called as docker-credential-loopin'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;helper;git'= {
            cand --integration 'This integration only, where several are for the same host'
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;helper;kubectl'= {
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --id-token 'The id_token of OpenID Connect instead of the access token: what an API server with --oidc-issuer-url wants'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand setup 'Print a kubeconfig with one user'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;helper;kubectl;setup'= {
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --id-token 'The id_token of OpenID Connect instead of the access token: what an API server with --oidc-issuer-url wants'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;helper;kubectl;help'= {
            cand setup 'Print a kubeconfig with one user'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;helper;kubectl;help;setup'= {
        }
        &'loopin;helper;kubectl;help;help'= {
        }
        &'loopin;helper;docker'= {
            cand --integration 'This integration only, where several are for the same host'
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;helper;help'= {
            cand git 'Speak git''s credential protocol; also when called as git-credential-loopin'
            cand kubectl 'Be kubectl''s exec credential plugin'
            cand docker 'Speak docker''s credential protocol; also when called as docker-credential-loopin'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;helper;help;git'= {
        }
        &'loopin;helper;help;kubectl'= {
            cand setup 'Print a kubeconfig with one user'
        }
        &'loopin;helper;help;kubectl;setup'= {
        }
        &'loopin;helper;help;docker'= {
        }
        &'loopin;helper;help;help'= {
        }
        &'loopin;status'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --all 'Logins in keychains and state directories that are not in use now, too'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;logout'= {
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --all 'Every account and action, in every store of this machine; without a name those of every integration'
            cand --local 'Only forget them here'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand add 'Add an integration to the configuration; on a terminal it asks for what is missing'
            cand set 'Change fields of an integration; the others, their order and comments stay as they are'
            cand list 'List all integrations'
            cand providers 'List the providers that loopin knows; for a single one, show how to register a client there'
            cand show 'Show one integration'
            cand remove 'Remove an integration from the configuration, and its client secret from the store'
            cand diagnose 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more'
            cand verify 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;integration;add'= {
            cand --provider 'A provider that loopin knows, such as gitlab; `loopin integration providers` lists them'
            cand --base-url 'Where your instance of the provider is, such as https://git.acme.example'
            cand --tenant 'Your tenant at the provider'
            cand --issuer 'The provider''s issuer; its endpoints are then discovered'
            cand --authorization-endpoint 'Where the browser is sent'
            cand --token-endpoint 'Where the code is exchanged'
            cand --revocation-endpoint 'Where tokens are revoked'
            cand --client-id 'The client identifier that the provider gave you'
            cand --token-endpoint-auth-method 'How the client secret is sent: client_secret_basic or client_secret_post'
            cand --redirect-uri 'As registered at the provider; several are tried in order [default of add: http://127.0.0.1:0/callback/NAME]'
            cand --relay 'Redirect URI of a relay whose route ends on this machine, for providers that accept https only'
            cand --scope 'Ask for this scope (repeatable); set replaces the whole list'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --secret-stdin 'Read the client secret from standard input and put it into the store; on a terminal it is asked for'
            cand --shared-redirect 'Accept a redirect URI that another provider''s integration uses too, where the provider fixes its path'
            cand --replace 'Replace an integration of this name, with all of its fields; its logins stay'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration;set'= {
            cand --provider 'A provider that loopin knows, such as gitlab; `loopin integration providers` lists them'
            cand --base-url 'Where your instance of the provider is, such as https://git.acme.example'
            cand --tenant 'Your tenant at the provider'
            cand --issuer 'The provider''s issuer; its endpoints are then discovered'
            cand --authorization-endpoint 'Where the browser is sent'
            cand --token-endpoint 'Where the code is exchanged'
            cand --revocation-endpoint 'Where tokens are revoked'
            cand --client-id 'The client identifier that the provider gave you'
            cand --token-endpoint-auth-method 'How the client secret is sent: client_secret_basic or client_secret_post'
            cand --redirect-uri 'As registered at the provider; several are tried in order [default of add: http://127.0.0.1:0/callback/NAME]'
            cand --relay 'Redirect URI of a relay whose route ends on this machine, for providers that accept https only'
            cand --scope 'Ask for this scope (repeatable); set replaces the whole list'
            cand --unset 'Remove this field, by its name in the configuration file, such as relay or actions.read (repeatable)'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --secret-stdin 'Read the client secret from standard input and put it into the store; on a terminal it is asked for'
            cand --shared-redirect 'Accept a redirect URI that another provider''s integration uses too, where the provider fixes its path'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration;list'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration;providers'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration;show'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration;remove'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration;diagnose'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration;verify'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;integration;help'= {
            cand add 'Add an integration to the configuration; on a terminal it asks for what is missing'
            cand set 'Change fields of an integration; the others, their order and comments stay as they are'
            cand list 'List all integrations'
            cand providers 'List the providers that loopin knows; for a single one, show how to register a client there'
            cand show 'Show one integration'
            cand remove 'Remove an integration from the configuration, and its client secret from the store'
            cand diagnose 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more'
            cand verify 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;integration;help;add'= {
        }
        &'loopin;integration;help;set'= {
        }
        &'loopin;integration;help;list'= {
        }
        &'loopin;integration;help;providers'= {
        }
        &'loopin;integration;help;show'= {
        }
        &'loopin;integration;help;remove'= {
        }
        &'loopin;integration;help;diagnose'= {
        }
        &'loopin;integration;help;verify'= {
        }
        &'loopin;integration;help;help'= {
        }
        &'loopin;redirect'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand check 'Judge a redirect URI by fourteen rules, each with its number and a remedy'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;redirect;check'= {
            cand --sent 'What an application sends: does it match?'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;redirect;help'= {
            cand check 'Judge a redirect URI by fourteen rules, each with its number and a remedy'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;redirect;help;check'= {
        }
        &'loopin;redirect;help;help'= {
        }
        &'loopin;stdio'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;doctor'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --report 'Add version, system and the names of environment variables, without their values: paste it into a bug report'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;demo'= {
            cand --provider 'Let the practice provider do what this one does differently, such as slack; then refresh, and find the grant dead'
            cand --browser 'Open the URL with this command'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --yes 'Play the person too: no browser is opened'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;relay'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand check 'Send odd queries through every route, compare the bytes, and print the URIs to register'
            cand export 'Print the same routes as the configuration of another server, with logs that hold no codes'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;relay;check'= {
            cand --against 'A deployed relay: https://acme.example or http://127.0.0.1:8080'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;relay;export'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;relay;help'= {
            cand check 'Send odd queries through every route, compare the bytes, and print the URIs to register'
            cand export 'Print the same routes as the configuration of another server, with logs that hold no codes'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;relay;help;check'= {
        }
        &'loopin;relay;help;export'= {
        }
        &'loopin;relay;help;help'= {
        }
        &'loopin;serve'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand check 'Judge the configuration, its keys and its database; say what to register at each provider'
            cand keys 'Put one key in another''s place, while the service runs'
            cand migrate 'Make the database, or bring it up to this version, and end'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;serve;check'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;serve;keys'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand rotate 'Seal everything that another key has sealed with the current one'
            cand status 'Say how many rows each key seals; one that seals none can be taken out of [keys]'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;serve;keys;rotate'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;serve;keys;status'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;serve;keys;help'= {
            cand rotate 'Seal everything that another key has sealed with the current one'
            cand status 'Say how many rows each key seals; one that seals none can be taken out of [keys]'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;serve;keys;help;rotate'= {
        }
        &'loopin;serve;keys;help;status'= {
        }
        &'loopin;serve;keys;help;help'= {
        }
        &'loopin;serve;migrate'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;serve;help'= {
            cand check 'Judge the configuration, its keys and its database; say what to register at each provider'
            cand keys 'Put one key in another''s place, while the service runs'
            cand migrate 'Make the database, or bring it up to this version, and end'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;serve;help;check'= {
        }
        &'loopin;serve;help;keys'= {
            cand rotate 'Seal everything that another key has sealed with the current one'
            cand status 'Say how many rows each key seals; one that seals none can be taken out of [keys]'
        }
        &'loopin;serve;help;keys;rotate'= {
        }
        &'loopin;serve;help;keys;status'= {
        }
        &'loopin;serve;help;migrate'= {
        }
        &'loopin;serve;help;help'= {
        }
        &'loopin;completions'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;man'= {
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;refresh-worker'= {
            cand --account 'Which account, where one integration has several'
            cand --action 'One action of the integration instead of all together'
            cand --store 'Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]'
            cand --config 'Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform''s place]'
            cand --json 'Print one JSON object instead of text, failures included; not what a helper answers its client'
            cand -v 'Say more on standard error'
            cand --verbose 'Say more on standard error'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'loopin;help'= {
            cand login 'Sign in with the browser and store the tokens'
            cand token 'Print a valid access token'
            cand exec 'Run a command with a valid access token in its environment'
            cand helper 'Give tokens to git, kubectl and docker, each in its own protocol; `setup` prints the client''s configuration'
            cand status 'Show what is stored, until when, and which command repairs it'
            cand logout 'Revoke the tokens at the provider and forget them'
            cand integration 'Add, change, list, show and remove integrations; list the providers that loopin knows'
            cand redirect 'Judge redirect URIs'
            cand stdio 'Serve a program: JSON-RPC 2.0 on standard input and output, one message a line'
            cand doctor 'Check whether this machine is ready for logins, and print how to fix what is not'
            cand demo 'Show a whole login against a built-in practice provider; nothing leaves this machine'
            cand relay 'Forward OAuth callbacks from a domain of your own to fixed targets, byte for byte'
            cand serve 'Connect the accounts of an application''s users at third parties, and keep their tokens alive'
            cand completions 'Print the completions of a shell'
            cand man 'Print the man page'
            cand refresh-worker 'Sends the one refresh request of a grant whose locked file is its standard input'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'loopin;help;login'= {
        }
        &'loopin;help;token'= {
        }
        &'loopin;help;exec'= {
        }
        &'loopin;help;helper'= {
            cand git 'Speak git''s credential protocol; also when called as git-credential-loopin'
            cand kubectl 'Be kubectl''s exec credential plugin'
            cand docker 'Speak docker''s credential protocol; also when called as docker-credential-loopin'
        }
        &'loopin;help;helper;git'= {
        }
        &'loopin;help;helper;kubectl'= {
            cand setup 'Print a kubeconfig with one user'
        }
        &'loopin;help;helper;kubectl;setup'= {
        }
        &'loopin;help;helper;docker'= {
        }
        &'loopin;help;status'= {
        }
        &'loopin;help;logout'= {
        }
        &'loopin;help;integration'= {
            cand add 'Add an integration to the configuration; on a terminal it asks for what is missing'
            cand set 'Change fields of an integration; the others, their order and comments stay as they are'
            cand list 'List all integrations'
            cand providers 'List the providers that loopin knows; for a single one, show how to register a client there'
            cand show 'Show one integration'
            cand remove 'Remove an integration from the configuration, and its client secret from the store'
            cand diagnose 'Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more'
            cand verify 'Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work'
        }
        &'loopin;help;integration;add'= {
        }
        &'loopin;help;integration;set'= {
        }
        &'loopin;help;integration;list'= {
        }
        &'loopin;help;integration;providers'= {
        }
        &'loopin;help;integration;show'= {
        }
        &'loopin;help;integration;remove'= {
        }
        &'loopin;help;integration;diagnose'= {
        }
        &'loopin;help;integration;verify'= {
        }
        &'loopin;help;redirect'= {
            cand check 'Judge a redirect URI by fourteen rules, each with its number and a remedy'
        }
        &'loopin;help;redirect;check'= {
        }
        &'loopin;help;stdio'= {
        }
        &'loopin;help;doctor'= {
        }
        &'loopin;help;demo'= {
        }
        &'loopin;help;relay'= {
            cand check 'Send odd queries through every route, compare the bytes, and print the URIs to register'
            cand export 'Print the same routes as the configuration of another server, with logs that hold no codes'
        }
        &'loopin;help;relay;check'= {
        }
        &'loopin;help;relay;export'= {
        }
        &'loopin;help;serve'= {
            cand check 'Judge the configuration, its keys and its database; say what to register at each provider'
            cand keys 'Put one key in another''s place, while the service runs'
            cand migrate 'Make the database, or bring it up to this version, and end'
        }
        &'loopin;help;serve;check'= {
        }
        &'loopin;help;serve;keys'= {
            cand rotate 'Seal everything that another key has sealed with the current one'
            cand status 'Say how many rows each key seals; one that seals none can be taken out of [keys]'
        }
        &'loopin;help;serve;keys;rotate'= {
        }
        &'loopin;help;serve;keys;status'= {
        }
        &'loopin;help;serve;migrate'= {
        }
        &'loopin;help;completions'= {
        }
        &'loopin;help;man'= {
        }
        &'loopin;help;refresh-worker'= {
        }
        &'loopin;help;help'= {
        }
    ]
    $completions[$command]
}
