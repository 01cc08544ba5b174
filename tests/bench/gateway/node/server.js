// The login links of the gateway, written by hand as a developer would: express, jsonwebtoken and
// better-sqlite3. A visit is one transaction that is on the disk before the response.
//
// node server.js FOLDER USERS WORKERS

import cluster from 'node:cluster'
import { createSecretKey } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import cookieSession from 'cookie-session'
import express from 'express'
import jwt from 'jsonwebtoken'

const SECRET = '0123456789abcdef0123456789abcdef'
// For a text, jsonwebtoken checks each time whether it is a public key, which takes half a millisecond.
const KEY = createSecretKey(Buffer.from(SECRET))
const [folder, users, workers] = process.argv.slice(2)

const db = new Database(join(folder, 'node.sqlite'), { timeout: 20_000 })
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')

function create() {
  db.exec(`
    CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE, metadata TEXT NOT NULL,
      suspended INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, signed_in_at INTEGER) WITHOUT ROWID;
    CREATE TABLE seats (used INTEGER NOT NULL, seat_limit INTEGER NOT NULL);
    INSERT INTO seats VALUES (0, 1000000000)`)
  const insert = db.prepare('INSERT INTO users (id, metadata, created_at) VALUES (?, ?, ?)')
  const metadata = JSON.stringify({ name: 'Ada Lovelace', team: 'Research' })
  db.transaction(() => {
    for (let number = 0; number < Number(users); number += 1) {
      insert.run(`user-${String(number).padStart(6, '0')}`, metadata, Date.now())
    }
    db.prepare('UPDATE seats SET used = ?').run(Number(users))
  })()
}

function listen() {
  const byId = db.prepare('SELECT suspended FROM users WHERE id = ?')
  const signedIn = db.prepare('UPDATE users SET signed_in_at = ? WHERE id = ?')
  const takeSeat = db.prepare('UPDATE seats SET used = used + 1 WHERE used < seat_limit')
  const insert = db.prepare(
    'INSERT INTO users (id, email, metadata, created_at, signed_in_at) VALUES (?, ?, ?, ?, ?)',
  )
  // Returns the id of the user who is signed in, or undefined.
  const signIn = db.transaction(({ id, user }) => {
    const now = Date.now()
    const whom = user?.id ?? String(id)
    const found = byId.get(whom)
    if (found) {
      if (found.suspended) return undefined
      signedIn.run(now, whom)
    } else {
      if (!user || takeSeat.run().changes === 0) return undefined
      const { id: _, email, ...metadata } = user
      insert.run(whom, email ?? null, JSON.stringify(metadata), now, now)
    }
    return whom
  }).immediate

  const app = express()
  app.disable('x-powered-by')
  app.use(cookieSession({ name: 'session', keys: [SECRET], sameSite: 'lax', maxAge: 14 * 24 * 3600 * 1000 }))
  app.get('/', (request, response) => {
    let claims
    try {
      claims = jwt.verify(request.query.externalAuthCode, KEY, { algorithms: ['HS256'] })
    } catch {
      return response.status(403).send('This link does not let you in.')
    }
    const whom = signIn(claims)
    if (!whom) return response.status(403).send('This link does not let you in.')
    request.session.user = whom
    response.set('Cache-Control', 'no-store').redirect(303, request.path)
  })
  app.listen(0, '127.0.0.1')
}

if (cluster.isPrimary) {
  create()
  db.close()
  let ready = 0
  cluster.on('listening', (_, address) => {
    ready += 1
    if (ready === Number(workers)) console.log(`127.0.0.1:${address.port}`)
  })
  for (let worker = 0; worker < Number(workers); worker += 1) cluster.fork()
} else {
  listen()
}
