package import GateCore

extension SQLConnection {
    /// Runs a statement without parameters that returns no rows.
    @discardableResult
    package func execute(_ sql: StaticString) throws(StorageError) -> Int { try execute(sql, []) }

    /// The first row of a query, as `read` makes it, or `nil` where there is none. Rows beyond the first are passed over.
    package func row<Element>(
        _ sql: StaticString, _ parameters: [any SQLBindable] = [], read: (borrowing any SQLRow) throws(StorageError) -> Element
    ) throws(StorageError) -> Element? {
        var first: Element?
        try query(sql, parameters) { (row) throws(StorageError) in
            if first == nil { first = try read(row) }
        }
        return first
    }

    /// All rows of a query, in order, each as `read` makes it.
    package func rows<Element>(
        _ sql: StaticString, _ parameters: [any SQLBindable] = [], read: (borrowing any SQLRow) throws(StorageError) -> Element
    ) throws(StorageError) -> [Element] {
        var elements: [Element] = []
        try query(sql, parameters) { (row) throws(StorageError) in elements.append(try read(row)) }
        return elements
    }
}
