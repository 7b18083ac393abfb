package import GateCore

/// One row of a result, its columns counted from zero. Valid only while the closure that was given it runs.
///
/// An accessor answers `.misuse` where the column holds another type: the schema is `STRICT`, so that is a defect of the caller.
package protocol SQLRow: ~Copyable {
    func value(_ column: Int) -> SQLValue
    func integer(_ column: Int) throws(StorageError) -> Int64
    func text(_ column: Int) throws(StorageError) -> String
    func blob(_ column: Int) throws(StorageError) -> [UInt8]
    func isNull(_ column: Int) -> Bool
}

extension SQLRow where Self: ~Copyable {
    package func bool(_ column: Int) throws(StorageError) -> Bool { try integer(column) != 0 }
    package func timestamp(_ column: Int) throws(StorageError) -> Timestamp { Timestamp(milliseconds: try integer(column)) }
    package func identifier<Entity>(_ column: Int, of _: Entity.Type = Entity.self) throws(StorageError) -> Identifier<Entity> {
        guard let identifier = Identifier<Entity>(try text(column)) else {
            throw .corrupt(reason: "column \(column) holds no identifier")
        }
        return identifier
    }
    package func optionalText(_ column: Int) throws(StorageError) -> String? { isNull(column) ? nil : try text(column) }
    package func optionalTimestamp(_ column: Int) throws(StorageError) -> Timestamp? { isNull(column) ? nil : try timestamp(column) }
}
