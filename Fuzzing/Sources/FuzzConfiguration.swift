@testable import GatehouseApp

/// A faulty configuration is refused with its faults; no text brings the program down.
func fuzzConfiguration(_ bytes: [UInt8]) {
    let file = ConfigurationFile(String(decoding: bytes, as: UTF8.self), file: "fuzz.toml")
    requireWords(file.faults)
}

func fuzzEnvironmentFile(_ bytes: [UInt8]) {
    let file = EnvironmentFile(String(decoding: bytes, as: UTF8.self), file: "fuzz.env")
    requireWords(file.faults)
    require(file.entries.allSatisfy { !$0.name.isEmpty }, "every variable has a name")
}

private func requireWords(_ faults: [ConfigurationFault]) {
    require(faults.allSatisfy { !$0.problem.isEmpty && !$0.cure.isEmpty }, "every fault says what is wrong and what to do")
}
