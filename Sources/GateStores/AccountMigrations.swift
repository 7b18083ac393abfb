package import GateSQL

/// The steps of the schema, from the files under `Migrations`.
///
/// SwiftPM embeds the files in the binary, each as a constant named after it. Folders do not count: the kind of database is in the
/// file's name instead.
package enum AccountMigrations {
    package static let sqlite: [Migration] = [
        migration(1, "accounts", up: PackageResources.sqlite_0001_accounts_up_sql, down: PackageResources.sqlite_0001_accounts_down_sql)
    ]

    /// The same steps in Postgres's types, and between them those of what instances share: where one process has the database to itself
    /// there is no such step, and its number is left out.
    package static let postgres: [Migration] = [
        migration(
            1, "accounts", up: PackageResources.postgres_0001_accounts_up_sql, down: PackageResources.postgres_0001_accounts_down_sql),
        migration(
            2, "instances", up: PackageResources.postgres_0002_instances_up_sql,
            down: PackageResources.postgres_0002_instances_down_sql),
        migration(
            3, "certificates", up: PackageResources.postgres_0003_certificates_up_sql,
            down: PackageResources.postgres_0003_certificates_down_sql),
        migration(4, "changes", up: PackageResources.postgres_0004_changes_up_sql, down: PackageResources.postgres_0004_changes_down_sql),
    ]

    private static func migration(_ version: Int, _ name: String, up: [UInt8], down: [UInt8]) -> Migration {
        Migration(version: version, name: name, up: String(decoding: up, as: UTF8.self), down: String(decoding: down, as: UTF8.self))
    }
}
