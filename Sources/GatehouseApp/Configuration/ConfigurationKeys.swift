import GateCore

extension Configuration {
    /// Every setting there is, in the order in which it is shown.
    static let keys: [ConfigurationKey] =
        generalKeys + httpKeys + tlsKeys + acmeKeys + databaseKeys + authKeys + limitKeys + redisKeys + apiKeys + outputKeys + backupKeys

    private static let generalKeys = [
        ConfigurationKey(
            "public_url", \.publicURL,
            .text("URL", example: "https://app.example.com") { text throws(InvalidValue) in
                try WebOrigin(text, trailingSlash: true)
            } print: {
                $0.description
            }, aliases: ["APP_URL"], flag: "--public-url",
            derivedDefault:
                "https:// and the first of api.host, acme.domains and the hosts of sites where acme.email is set, else http://127.0.0.1:PORT",
            "The address under which clients reach this server: scheme, host and port. Links, cookies and the tokens' issuer are made "
                + "from it; with https, cookies are Secure."),
        ConfigurationKey(
            "data_dir", \.dataDirectory, .path, flag: "--data-dir",
            derivedDefault: "the STATE_DIRECTORY that systemd gives, else ./gatehouse-data",
            "The folder for the database, the generated secrets and the admin socket. It is made if it is missing."),
        ConfigurationKey(
            "listen.http", \.listen.http, .list(of: .listenAddress), flag: "--listen",
            derivedDefault: "127.0.0.1:8080; :80 where tls.mode is acme, or is another than off and public_url has port 443",
            "Where plain HTTP is served: 127.0.0.1:8080, [::1]:8080, :8080 for every address, or unix:/path. The variable PORT changes "
                + "the port alone. With TLS, this is where challenges are answered and everything else is sent to HTTPS."),
        ConfigurationKey(
            "listen.https", \.listen.https, .list(of: .listenAddress), flag: "--listen-https",
            derivedDefault: "every address, at the port of public_url, where tls.mode is not off",
            "Where HTTPS is served, written as in listen.http."),
        ConfigurationKey(
            "listen.trusted_proxies", \.listen.trustedProxies, .list(of: .network), example: "10.0.0.0/8",
            "Networks of the proxies in front of this server. Only their Forwarded and X-Forwarded-* headers are believed."),
        ConfigurationKey(
            "listen.admin", \.listen.admin,
            .text("path", example: "/run/gatehouse/admin.sock") { text throws(InvalidValue) in
                try socketPath(text)
            } print: {
                $0
            },
            derivedDefault: "admin.sock in data_dir",
            "The Unix socket through which the command line reaches the running server."),
    ]

    private static let httpKeys = [
        ConfigurationKey(
            "http.max_body", \.http.maxBody, .byteSize(ByteSize(bytes: 1024)...ByteSize(bytes: 1 << 30)),
            "The largest request body; beyond it the answer is 413."),
        ConfigurationKey(
            "http.max_header_size", \.http.maxHeaderSize, .byteSize(ByteSize(bytes: 4096)...ByteSize(bytes: 1 << 20)),
            "The largest request head, request line included; beyond it the answer is 431."),
        ConfigurationKey(
            "http.max_header_count", \.http.maxHeaderCount, .integer(16...1000), "The most header fields that a request may have."),
        ConfigurationKey(
            "http.header_timeout", \.http.headerTimeout, .duration(.milliseconds(100)...(.seconds(600))),
            "How long a request's head may take to arrive."),
        ConfigurationKey(
            "http.body_timeout", \.http.bodyTimeout, .duration(.milliseconds(100)...(.seconds(3600))),
            "How long a request's body may pause."),
        ConfigurationKey(
            "http.write_timeout", \.http.writeTimeout, .duration(.milliseconds(100)...(.seconds(3600))),
            "How long a client may take no byte of its answer."),
        ConfigurationKey(
            "http.idle_timeout", \.http.idleTimeout, .duration(.milliseconds(100)...(.seconds(3600))),
            "How long a connection is kept between two requests."),
        ConfigurationKey(
            "http.max_connections", \.http.maxConnections, .integer(1...1_000_000), "The most connections that are open at once."),
        ConfigurationKey(
            "http.shutdown_timeout", \.http.shutdownTimeout, .duration(.zero ... .seconds(600)),
            "How long requests may take to finish once the server was told to stop."),
        ConfigurationKey(
            "http.compression", \.http.compression, .bool, "Whether answers are compressed (gzip) for clients that ask for it."),
    ]

    private static let databaseKeys = [
        ConfigurationKey(
            "database.url", \.database.url,
            .text("database address", example: "sqlite:gatehouse.db") { text throws(InvalidValue) in
                try DatabaseURL(text)
            } print: {
                $0.description
            }, aliases: ["DATABASE_URL"],
            "The database: sqlite:FILE, relative to data_dir unless FILE begins with /; or postgres://user:password@host:5432/database, "
                + "with sslmode and other settings of libpq after a ?, and prepare=off behind a pooler such as PgBouncer."),
        ConfigurationKey(
            "database.pool_size", \.database.poolSize, .integer(1...1000),
            "The most connections to Postgres. Each instance has as many; the server's max_connections must suffice for all."),
        ConfigurationKey(
            "database.cluster_key", \.database.clusterKey, .optional(.clusterKey), isSecret: true,
            derivedDefault: "generated by the first instance on Postgres, kept in cluster.key in data_dir",
            recipe: "openssl rand -base64 32",
            "The key under which instances that share a Postgres seal their secrets in it: the same for all, and in no backup of the "
                + "database. Without it, copy cluster.key from the data folder of one instance into that of the next."),
    ]

    private static let apiKeys = [
        ConfigurationKey(
            "api.host", \.api.host, .optional(.hostName), example: "auth.example.com",
            "The one host that Gatehouse's own paths are answered at; at all others they belong to the sites. Without it they are "
                + "Gatehouse's at every host. The pages under /.gatehouse/ are so in any case."),
        ConfigurationKey(
            "api.prefix", \.api.prefix, .optional(.pathPrefix), example: "/_gatehouse",
            "What stands before Gatehouse's own paths, where an application needs them for itself: /_gatehouse/api/v1/auth/login."),
    ]

    private static let outputKeys = [
        ConfigurationKey(
            "cors.origins", \.cors.origins, .list(of: .origin), aliases: ["CORS_ORIGIN"], example: "https://app.example.com",
            "Origins of browser applications that may call the API with credentials; exact, without a path."),
        ConfigurationKey(
            "headers.hsts", \.headers.hsts, .duration(.zero ... .seconds(2 * 365 * 86_400)),
            derivedDefault: "365d where public_url is https, else 0s",
            "The max-age of Strict-Transport-Security; 0s leaves the header out."),
        ConfigurationKey(
            "headers.frame_options", \.headers.frameOptions, .choice(), "X-Frame-Options: DENY, SAMEORIGIN or off."),
        ConfigurationKey(
            "headers.content_security_policy", \.headers.contentSecurityPolicy, .headerValue,
            "Content-Security-Policy of every answer; empty leaves the header out."),
        ConfigurationKey(
            "log.level", \.log.level, .choice(), flag: "--log-level",
            "The least severity that is logged: trace, debug, info, notice, warning, error or critical."),
        ConfigurationKey(
            "log.format", \.log.format, .choice(), flag: "--log-format",
            "json, text, or auto: text on a terminal, JSON lines everywhere else."),
        ConfigurationKey(
            "log.access", \.log.access, .choice(),
            "Which requests are logged: all, errors (status 400 and above) or off. The lines are of level info: above it none is written."),
        ConfigurationKey(
            "metrics.address", \.metrics.address, .optional(.privateAddress), example: "127.0.0.1:9090",
            "A loopback or private address on which /metrics is served. Without it, metrics are on the admin socket alone."),
    ]
}
