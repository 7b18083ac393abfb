/// What the contract names and this version does not do yet. Settings for it are faults, so that nobody believes them to be in
/// force; usual variables that are merely present in the environment are only reported.
enum LaterFeatures {
    /// Tables and keys, with everything below them.
    static let paths: Set<String> = [
        "postgres", "mail", "smtp", "ses", "resend", "oauth", "files", "s3", "minio", "webhooks", "sentry",
    ]

    static let ignoredVariables: Set<String> = [
        "RESEND_API_KEY", "AWS_SES_REGION", "AWS_SES_ACCESS_KEY_ID", "AWS_SES_SECRET_ACCESS_KEY",
        "AWS_SES_FROM_EMAIL", "MINIO_ENDPOINT", "MINIO_PORT", "MINIO_USE_SSL", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY",
        "GRAPH_WEBHOOK_URL", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "DISCORD_CLIENT_ID", "DISCORD_CLIENT_SECRET", "SENTRY_DSN",
    ]

    /// The later feature that `path` belongs to.
    static func contain(_ path: [String]) -> Bool {
        (1...max(1, path.count)).contains { paths.contains(path.prefix($0).joined(separator: ".")) }
    }

    /// The same for a `GATEHOUSE_…` variable.
    static func contain(variable: String) -> Bool {
        paths.contains { path in
            let name = "GATEHOUSE_" + path.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
            return variable == name || variable.hasPrefix(name + "_")
        }
    }
}
