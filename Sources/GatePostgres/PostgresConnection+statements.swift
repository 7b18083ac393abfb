import CPostgres
import GateCore
import GateSQL

extension PostgresConnection {
    /// Runs a statement, prepared under a name where `named` says so: then it is parsed once for this connection.
    ///
    /// Preparing it, and beginning a transaction before it, cost no round trip of their own: they are sent together (libpq's pipeline mode,
    /// PostgreSQL manual, §34.5), and what follows a failure is not done.
    ///
    /// - Parameter beginning: of the transaction that the statement is the first of.
    func run(
        _ sql: StaticString, _ parameters: [any SQLBindable], named: Bool, after beginning: TransactionBeginning? = nil,
        until end: MonotonicInstant
    ) throws(PostgresFailure) -> PostgresResult {
        let text = prepared.text(of: sql)
        guard text.parameters == parameters.count else {
            throw PostgresFailure(
                code: "08P01", .misuse(reason: "\(parameters.count) parameters for a statement with \(text.parameters): \(sql)"))
        }
        let encoded = EncodedParameters(parameters)
        let signature = named ? encoded.signature : nil
        let key = signature.map { PreparedStatements.key(sql, $0) }
        let known = key.flatMap { prepared.name($0) }
        let isPipeline = beginning != nil || (signature != nil && known == nil)

        guard !isPipeline || functions.enterPipelineMode(handle) == 1 else { throw lost() }
        // BEGIN, its settings (to be prepared first, where they are not), and what prepares the statement, come before it.
        let preparesSettings = beginning.map { named && !prepared.isPrepared($0) } ?? false
        let before = beginning == nil ? 0 : preparesSettings ? 3 : 2
        if let beginning { guard send(beginning, named: named) else { throw lost() } }
        var name = known
        if let signature, known == nil {
            let new = PreparedStatements.name(text, signature)
            guard functions.sendPrepare(handle, new, text.bytes, Int32(encoded.count), encoded.types) == 1 else { throw lost() }
            name = new
        }
        guard send(name, text, encoded), !isPipeline || functions.pipelineSync(handle) == 1 else { throw lost() }

        do throws(PostgresFailure) {
            let result = try outcome(ofPipeline: isPipeline, until: end)
            if let beginning, preparesSettings { prepared.note(beginning) }
            if let key, let name, known == nil { prepared.note(name, for: key) }
            return result
        } catch {
            // What was prepared before the failure stays so, also when the transaction is undone.
            if let beginning, preparesSettings, error.preceding >= 2 { prepared.note(beginning) }
            if let key, let name, known == nil, error.preceding > before { prepared.note(name, for: key) }
            throw error
        }
    }

    private func outcome(ofPipeline isPipeline: Bool, until end: MonotonicInstant) throws(PostgresFailure) -> PostgresResult {
        defer { if isPipeline, !isBroken, functions.exitPipelineMode(handle) != 1 { isBroken = true } }
        do throws(PostgresFailure) {
            guard let result = try results(until: end, ofPipeline: isPipeline).last else {
                throw PostgresFailure(code: "42601", .misuse(reason: "an empty statement"))
            }
            return result
        } catch {
            // A pooler gave us a server on which somebody else of us prepared it. The transaction is spoilt all the same.
            guard error.code == "42P05" else { throw error }
            throw PostgresFailure(code: "26000", error.error)
        }
    }

    private func send(_ beginning: TransactionBeginning, named: Bool) -> Bool {
        guard functions.sendQueryParams(handle, beginning.begin, 0, nil, nil, nil, nil, 1) == 1 else { return false }
        guard named else { return functions.sendQueryParams(handle, beginning.settings, 0, nil, nil, nil, nil, 1) == 1 }
        return (prepared.isPrepared(beginning) || functions.sendPrepare(handle, beginning.name, beginning.settings, 0, nil) == 1)
            && functions.sendQueryPrepared(handle, beginning.name, 0, nil, nil, nil, 1) == 1
    }

    private func send(_ name: String?, _ text: PreparedStatements.Text, _ parameters: EncodedParameters) -> Bool {
        parameters.withPointers { values, lengths, formats in
            let count = Int32(parameters.count)
            return if let name {
                functions.sendQueryPrepared(handle, name, count, values, lengths, formats, 1)
            } else {
                functions.sendQueryParams(handle, text.bytes, count, parameters.types, values, lengths, formats, 1)
            }
        } == 1
    }
}
