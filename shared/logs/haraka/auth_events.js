'use strict'
// Writes a JSON event for each message that a client sent after a login, and for each login that failed.
// README.md beside this file tells how to install it.

const fs = require('node:fs')

exports.register = function () {
    this.file = this.config.get('auth_events.ini').main.file || '/var/log/haraka/auth_events.jsonl'
}

exports.write = function (event, connection, more) {
    const told = { event, time: new Date().toISOString(), client: connection.remote.ip, ...more }
    try {
        fs.appendFileSync(this.file, JSON.stringify(told) + '\n')
    } catch (error) {
        this.logerror(`an event is lost: ${error.message}`)
    }
}

// Which device the client is: the name that leads back to its address, or in parentheses what it says of itself.
function name_of (connection) {
    const [confirmed] = [connection.results.get('fcrdns')?.fcrdns].flat()
    return confirmed || (connection.hello?.host ? `(${connection.hello.host})` : undefined)
}

// Haraka tells the name of a failed login here only: where it writes the header Authentication-Results.
exports.hook_connect = function (next, connection) {
    const results = connection.auth_results
    connection.auth_results = (message) => {
        const failed = /^auth=fail \(([^)]*)\) smtp\.auth=(.*)$/s.exec(message ?? '')
        if (failed) this.write('auth_failure', connection, { account: failed[2], mechanism: failed[1] })
        return results.call(connection, message)
    }
    next()
}

exports.hook_queue_ok = function (next, connection) {
    const login = connection.results.get('auth')
    if (login?.user) {
        const tls = connection.tls.enabled ? (connection.tls.cipher?.version ?? 'unknown') : 'none'
        const sender = connection.transaction.mail_from.address
        const address = typeof sender === 'function' ? sender.call(connection.transaction.mail_from) : sender
        this.write('submission', connection, {
            sender: address ?? '',
            account: [login.user].flat().at(-1),
            mechanism: [login.method].flat().at(-1),
            tls,
            client_name: name_of(connection),
            recipients: connection.transaction.rcpt_to?.length,
        })
    }
    next()
}
