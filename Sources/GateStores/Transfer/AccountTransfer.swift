import GateCore
package import GateSQL

/// Carries all accounts from one database to another of the same schema, and looks at every row afterwards.
///
/// Nobody may write to either meanwhile. Whatever the kinds of databases, the rows are the same, and so is their order: keys are compared byte
/// by byte in both.
package struct AccountTransfer: Sendable {
    private let source: any SQLDatabase
    private let target: any SQLDatabase

    package struct Count: Hashable, Sendable {
        package let table: String
        package let rows: Int
    }

    package init(from source: any SQLDatabase, to target: any SQLDatabase) {
        self.source = source
        self.target = target
    }

    /// Rows of one transaction.
    private static let pageSize = 500

    /// Every table with its columns, for those who check that none is forgotten.
    package static var columns: [String: [String]] {
        Dictionary(uniqueKeysWithValues: TransferredTable.all.map { ($0.name, $0.columns) })
    }

    /// The tables of the target in which there is something.
    package func occupiedTables() async throws -> [String] {
        try await target.read { connection in
            try TransferredTable.all.filter { table throws(StorageError) in
                try connection.row(table.isThere) { _ throws(StorageError) in true } ?? false
            }.map(\.name)
        }
    }

    /// Copies everything into the empty target. Where it fails, the target is emptied again as far as that is possible.
    package func copy() async throws -> [Count] {
        do {
            var counts: [Count] = []
            for table in TransferredTable.all { counts.append(Count(table: table.name, rows: try await copy(table))) }
            return counts
        } catch {
            try? await clear()
            throw error
        }
    }

    private func copy(_ table: TransferredTable) async throws -> Int {
        var count = 0
        var key = table.beforeAll
        while true {
            let rows = try await page(of: table, after: key, source)
            guard let last = rows.last else { return count }
            try await target.write { connection in
                for row in rows { try connection.execute(table.insert, row) }
            }
            count += rows.count
            key = Array(last.prefix(table.keyColumns))
        }
    }

    /// Compares both, row by row and value by value.
    /// - Returns: where they differ first: the table and the row's key; `nil` where they are the same.
    package func difference() async throws -> String? {
        for table in TransferredTable.all {
            var key = table.beforeAll
            while true {
                let expected = try await page(of: table, after: key, source)
                let found = try await page(of: table, after: key, target)
                for index in 0..<max(expected.count, found.count) {
                    let pair = (index < expected.count ? expected[index] : nil, index < found.count ? found[index] : nil)
                    guard pair.0 != pair.1 else { continue }
                    let key = (pair.0 ?? pair.1 ?? []).prefix(table.keyColumns).map { "\($0)" }
                    return "\(table.name): \(key.joined(separator: ", "))"
                }
                guard let last = expected.last else { break }
                key = Array(last.prefix(table.keyColumns))
            }
        }
        return nil
    }

    /// Deletes everything from the target.
    package func clear() async throws {
        for table in TransferredTable.all.reversed() { try await target.write { _ = try $0.execute(table.clear) } }
    }

    private func page(of table: TransferredTable, after key: [SQLValue], _ database: any SQLDatabase) async throws -> [[SQLValue]] {
        let columns = table.columns.count
        return try await database.read { connection in
            try connection.rows(table.page, key + [SQLValue.integer(Int64(Self.pageSize))]) { row throws(StorageError) in
                (0..<columns).map { row.value($0) }
            }
        }
    }
}
