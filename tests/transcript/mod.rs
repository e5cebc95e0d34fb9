//! What the notebook printed, cell by cell. What was cut off there is cut off here.

pub(crate) const CELL_5: &str = r#"
{
  "message": "New nodes have been added",
  "total_nodes": [
    "localhost:5001",
    "localhost:5002"
  ]
}
{
  "message": "New nodes have been added",
  "total_nodes": [
    "localhost:5000",
    "localhost:5002"
  ]
}
{
  "message": "New nodes have been added",
  "total_nodes": [
    "localhost:5001",
    "localhost:5000"
  ]
}
"#;

pub(crate) const CELL_6: &str = r#"
{
  "message": "Transaction will be added to Block 2"
}
"#;

pub(crate) const CELL_7: &str = r#"
{
  "chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7695177,
      "transactions": []
    }
  ],
  "length": 1
}
"#;

pub(crate) const CELL_8: &str = r#"
{
  "chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7695177,
      "transactions": []
    }
  ],
  "message": "Our chain is authoritative"
}
{
  "chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7689593,
      "transactions": []
    }
  ],
  "message": "Our chain is authoritative"
}
{
  "chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7821326,
      "transactions": []
    }
  ],
  "message": "Our chain is authoritative"
}
"#;

pub(crate) const CELL_9: &str = r#"
{
  "index": 2,
  "message": "New Block Forged",
  "previous_hash": "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0",
  "proof": 35293,
  "transactions": [
    {
      "amount": 5,
      "recipient": "someone-other-address",
      "sender": "d4ee26eee15148ee92c6cd394edd974e"
    },
    {
      "amount": 1,
      "recipient": "11120ceb2131427f99dda3fc2623ae9b5000",
      "sender": "0"
    }
  ]
}
"#;

pub(crate) const CELL_10: &str = r#"
{
  "chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7695177,
      "transactions": []
    },
    {
      "index": 2,
      "previous_hash": "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0",
      "proof": 35293,
      "timestamp": 1507824956.6968665,
      "transactions": [
        {
          "amount": 5,
          "recipient": "someone-other-address",
          "sender": "d4ee26eee15148ee92c6cd394edd974e"
        },
        {
          "amount": 1,
          "recipient": "11120ceb2131427f99dda3fc2623ae9b5000",
          "sender": "0"
        }
      ]
    }
  ],
  "length": 2
}
"#;

pub(crate) const CELL_11: &str = r#"
{
  "index": 2,
  "message": "New Block Forged",
  "previous_hash": "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861",
  "proof": 35293,
  "transactions": [
    {
      "amount": 1,
      "recipient": "e993927e7cd342f5a05d70493ccbe0ef5001",
      "sender": "0"
    }
  ]
}
{
  "chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7695177,
      "transactions": []
    },
    {
      "index": 2,
      "previous_hash": "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0",
      "proof": 35293,
      "timestamp": 1507824956.6968665,
      "transactions": [
        {
          "amount": 5,
          "recipient": "someone-other-address",
          "sender": "d4ee26eee15148ee92c6cd394edd974e"
        },
        {
          "amount": 1,
          "recipient": "11120ceb2131427f99dda3fc2623ae9b5000",
          "sender": "0"
        }
      ]
    }
  ]
"#;

pub(crate) const CELL_12: &str = r#"
{
  "chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7689593,
      "transactions": []
    },
    {
      "index": 2,
      "previous_hash": "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861",
      "proof": 35293,
      "timestamp": 1507824957.4151168,
      "transactions": [
        {
          "amount": 1,
          "recipient": "e993927e7cd342f5a05d70493ccbe0ef5001",
          "sender": "0"
        }
      ]
    }
  ],
  "length": 2
}
"#;

pub(crate) const CELL_13: &str = r#"
{
  "index": 3,
  "message": "New Block Forged",
  "previous_hash": "8f7eb225042b7cdb060a17e362a8a6ac892d11fe1e8331bf0336275f1c066555",
  "proof": 35089,
  "transactions": [
    {
      "amount": 1,
      "recipient": "6066e6f7d27c49129330b4af118a73725002",
      "sender": "0"
    }
  ]
}
{
  "message": "Our chain was replaced",
  "new_chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7689593,
      "transactions": []
    },
    {
      "index": 2,
      "previous_hash": "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861",
      "proof": 35293,
      "timestamp": 1507824957.4151168,
      "transactions": [
        {
          "amount": 1,
          "recipient": "e993927e7cd342f5a05d70493ccbe0ef5001",
          "sender": "0"
        }
      ]
    },
    {
      "index": 3,
      "previous_hash": "8f7eb225042b7cdb060a17e362a8a6ac892d11fe1e8331bf0336275f1c06
"#;

pub(crate) const CELL_14: &str = r#"
{
  "chain": [
    {
      "index": 1,
      "previous_hash": 1,
      "proof": 100,
      "timestamp": 1507824951.7689593,
      "transactions": []
    },
    {
      "index": 2,
      "previous_hash": "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861",
      "proof": 35293,
      "timestamp": 1507824957.4151168,
      "transactions": [
        {
          "amount": 1,
          "recipient": "e993927e7cd342f5a05d70493ccbe0ef5001",
          "sender": "0"
        }
      ]
    },
    {
      "index": 3,
      "previous_hash": "8f7eb225042b7cdb060a17e362a8a6ac892d11fe1e8331bf0336275f1c066555",
      "proof": 35089,
      "timestamp": 1507824959.2312186,
      "transactions": [
        {
          "amount": 1,
          "recipient": "6066e6f7d27c49129330b4af118a73725002",
          "sender": "0"
        }
      ]
    }
  ],
  "length": 3
}
"#;
