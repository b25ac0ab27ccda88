### What the line says in English.
### A message's value is its plain wording. Attributes: .v2 .v3 other wordings of the same, .upset for a caller who is
### upset or angry, .again and .spell for a question asked a second and third time. Other attributes are named in code.

## Start and end of a call

greeting = Hello, this is { $company }, you are speaking with our automated assistant. How can I help you?
    .recorded = Hello, this is { $company }, you are speaking with our automated assistant. This call is recorded. How can I help you?
welcome-back = Hello again, this is the automated assistant of { $company }. The line dropped earlier.
    .recorded = Hello again, this is the automated assistant of { $company }. This call is recorded. The line dropped earlier.
ask-resume = { $flow ->
        [order_status] We were looking for an order. Shall we go on?
        [update_address] We were changing an address. Shall we go on?
        [update_phone] We were changing a phone number. Shall we go on?
        [callback] We were arranging a callback. Shall we go on?
       *[talk_to_human] You wanted to speak to a person. Shall we go on with that?
    }
    .again = Would you like to carry on where we stopped? Just say yes or no.
    .spell = Say yes or press one to carry on where we stopped, say no or press two to start something else.
dropped-open-things = All right, I have let that go. Nothing was changed.
    .unknown = All right, I have let that go.
hello-again = Hello!
ask-how-help = How can I help you?
    .v2 = What can I do for you?
    .again = You can ask about an order, change your address or phone number, book a callback, or ask me a question. What would you like?
    .spell = Please tell me in a few words: an order, an address, a phone number, a callback, or a question?
ask-more = Is there anything else I can do for you?
    .v2 = Can I help you with anything else?
    .v3 = Anything else today?
    .upset = Is there anything else I can sort out for you?
    .again = Would you like anything else? Say yes or no.
    .spell = If there is anything else, just tell me. Otherwise say no.
ask-go-ahead = Sure, what is it?
    .v2 = Of course, go ahead.
    .again = What else would you like?
    .spell = Please tell me in a few words what you need.
ask-clarify = Sorry, I didn't catch that. What would you like to do?
    .again = Sorry, I still didn't get it. You can say, for example, where is my order, or change my address.
    .spell = Sorry, I did not understand. Please say it in a few words.
ask-satisfaction = Before you go: from one to five, how did I do today? Five is best.
    .again = Please say a number from one to five, or press it on your keypad.
    .spell = Press a key from one to five, or just say goodbye.
rating-thanks = Thank you, I have noted that.
goodbye = Thank you for calling. Goodbye!
    .v2 = Thanks for your call. Goodbye!
    .upset = Thank you for your patience. Goodbye.
left-open = { $flow ->
        [update_address] Your address was not changed.
        [update_phone] Your phone number was not changed.
        [callback] No callback was booked or changed.
       *[other] That is left as it was.
    } You can call again any time.
    .unknown = I can't tell you yet whether the earlier change went through. You can call again any time.
silence-goodbye = I can't hear you, so I'll end the call here. Call again and we'll carry on where we stopped. Goodbye!

## Repair

still-there = Are you still there?
    .again = Hello? I can't hear you.
back-on-the-line = I think we lost each other for a moment.
    .v2 = The line was gone for a moment.
hold-on = Of course, take your time.
    .v2 = Sure, no rush.
    .v3 = All right, I'll wait.
slower = Of course, more slowly.
switched-language = Sure, let's speak English.
sorry-misheard = Sorry about that.
    .v2 = My mistake.
cancelled = { $flow ->
        [order_status] All right, we'll leave the order.
        [update_address] All right, I've stopped the address change. Nothing was changed.
        [update_phone] All right, I've stopped the phone number change. Nothing was changed.
        [callback] All right, no callback then. Nothing was booked or changed.
       *[other] All right, we'll leave that.
    }
    .unknown = All right, we'll leave that. I can't tell you yet whether the earlier change went through.
back-to = { $flow ->
        [order_status] Now, back to your order.
        [update_address] Now, back to your address.
        [update_phone] Now, back to your phone number.
        [callback] Now, back to your callback.
       *[other] Now, back to where we were.
    }
you-are-welcome = You're welcome.
    .v2 = Happy to help.
sorry-for-trouble = I'm sorry about this.
    .v2 = I'm sorry for the trouble.
    .upset = I'm really sorry. I understand this is frustrating.
out-of-scope = I'm afraid I can't help with that. I can check orders, change an address or a phone number, arrange callbacks, and answer questions about the shop.
    .v2 = That's not something I can do here.

## Identity

ask-account = Which account is it? Please tell me the phone number, the e-mail, or an order number.
    .again = Please say the phone number on the account, the e-mail address, or the number of an order.
    .spell = You can type the phone number on your keypad, or spell the e-mail or order number letter by letter.
ask-fact = For your security, could you tell me the postal code on the account, or an order number?
    .again = To be sure it's you, could you tell me the postal code, or the number of one of your orders?
    .spell = Please say the postal code digit by digit, or type it on your keypad.
ask-fact-of-order = Thank you. For your security, could you tell me the postal code or the e-mail on the account?
    .again = To be sure it's you, could you tell me the postal code, or the e-mail address?
    .spell = Please say the postal code digit by digit, or type it on your keypad.
ask-fact-retry = Could you say it once more, or give me another phone number or e-mail for the account?
    .again = Could you tell me the postal code on the account, or the number of one of its orders?
    .spell = Please say the postal code digit by digit, or type it on your keypad.
identity-no-match = I'm sorry, those details don't match what I have.
    .v2 = I'm sorry, that doesn't match our records.
identity-locked = For your security, I can't go any further into the account on this call.
identity-lapsed = It has been a while, so I need to check again that it's you.
code-sent-sms = I've just sent a six-digit code by text message to the number we have on file, ending in { $ending }.
code-sent-email = I've just sent a six-digit code by e-mail to the address we have on file.
ask-code = What is the code?
    .v2 = Could you tell me the code?
    .again = Please read me the six digits, one by one.
    .spell = You can type the six digits on your keypad. If it hasn't arrived, say: send it by e-mail.
code-wrong = That's not the code I sent.
code-expired = That code has expired.

## Knowledge

faq-answer = { $answer }
faq-unknown = I don't have an answer to that, and I don't want to guess.
    .v2 = I'm afraid I don't know that.
faq-unknown-later = I don't have an answer to that. I can put you through to someone once we're done here.

## Orders

order-placed = Your order { $order }, { $items }, has been received and will be prepared soon.
order-processing = Your order { $order }, { $items }, is being packed right now.
order-shipped = Your order { $order }, { $items }, is on its way.
order-out-for-delivery = Your order { $order }, { $items }, is out for delivery today.
order-delivered = Your order { $order }, { $items }, is marked as delivered.
order-delayed = Your order { $order }, { $items }, is delayed. I'm sorry about that.
order-returned = Your order { $order }, { $items }, has come back to us as a return.
order-cancelled = Your order { $order }, { $items }, was cancelled.
order-lost = I'm sorry, your order { $order }, { $items }, was lost on the way.
order-delivered-on = It was delivered { $day }.
order-carrier = It is with { $carrier }.
order-tracking = The tracking number is { $tracking }.
order-expected = It should arrive { $day }.
order-expected-passed = It was due { $day }, so it is late.
order-not-found = I can't find that order among yours.
order-none = I don't see any orders on this account.
order-choice = the one with { $items }, ordered { $placed }
ask-order-which = Which order do you mean: { $orders }?
    .again = Please tell me the order number, or say, for example, the first one. Which is it: { $orders }?
    .spell = Please say the order number digit by digit, or type it on your keypad.
order-problem-sorry = I'm sorry, that should not happen. A colleague needs to look into it.

## Account

ask-address = What is the new address? Please start with the street and number.
    .again = Please tell me the new address: street and number, city, and postal code.
    .spell = Please say the street name, and spell it if it's unusual.
ask-address-line1 = What are the street and the house number?
    .again = Which street, and which number?
    .spell = Please spell the street name letter by letter, then say the number.
ask-address-city = Which city?
    .again = What is the name of the city or town?
    .spell = Please spell the name of the city.
ask-address-region = Which state?
    .again = In which state or province is that?
    .spell = Please spell the name of the state.
ask-address-postal-code = And the postal code?
    .again = What is the postal code there?
    .spell = Please say the postal code digit by digit, or type it on your keypad.
ask-address-what-to-correct = What should I change: the street, the city, or the postal code?
    .again = Please tell me the part that is wrong, and how it should be.
    .spell = Please say, for example: the street is fifty Main Street.
address-part-wrong = { $part ->
        [postal_code] That postal code doesn't fit the address.
        [region] That state doesn't fit the address.
        [city] I don't think I got the city right.
       *[line1] I don't think I got the street right.
    }
address-same = That is the address we already have, so there is nothing to change.
read-back-address = So the new address is { $address }. Is that right?
ask-new-phone = What is the new phone number?
    .again = Please say the new number digit by digit.
    .spell = You can type the new number on your keypad, and finish with the hash key.
phone-incomplete = That doesn't seem to be a complete phone number.
phone-same = That is the number we already have, so there is nothing to change.
read-back-phone = So the new phone number is { $phone }. Is that right?
done-address = Done, your address is changed. A notice has gone to the contact we had on file.
done-phone = Done, your phone number is changed. A notice has gone to the number we had on file.
already-done = That was already done, so I haven't done it twice.
done-meanwhile = { $flow ->
        [update_address] Your address change went through before the line dropped, so that is done.
        [update_phone] Your phone number change went through before the line dropped, so that is done.
        [callback] The callback was settled before the line dropped, so that is done.
       *[other] Your case is already with a colleague.
    }
done-after-all = { $flow ->
        [update_address] Your address change did go through, so that is done.
        [update_phone] Your phone number change did go through, so that is done.
        [callback] The callback was settled, so that is done.
       *[other] Your case did get through: it is already with a colleague.
    }
write-failed = I'm sorry, our system isn't answering, so I can't tell you that it's done.
write-refused = I'm sorry, our system didn't accept that. Nothing was changed.

## Callbacks

ask-callback-topic = What should the call be about?
    .again = In a few words, what is it about?
    .spell = For example: a return, an invoice, or a damaged item. What is it about?
ask-callback-own-number = Shall we ring the number you're calling from, { $phone }?
    .again = Is { $phone } a good number to reach you, yes or no?
    .spell = Say yes for { $phone }, or type another number on your keypad.
ask-callback-number = Which number should we ring?
    .again = Please say the phone number digit by digit.
    .spell = You can type the number on your keypad, and finish with the hash key.
ask-callback-time = When would suit you? Tell me the day and the time.
    .again = Which day, and at what time? For example, tomorrow at three.
    .spell = Please say just the day first.
ask-callback-slot = We could call you { $slots }. Which would you like?
    .again = You can say, for example, the first one. Which would you like: { $slots }?
    .spell = Say one for the first time, two for the second, or name another day. Which would you like: { $slots }?
callback-slot = { $when }
callback-time-not-free = That time is not free.
callback-time-taken = Someone has just taken that time.
callback-found = You have a callback { $when }.
callback-none-found = I don't find a callback for that number.
ask-callback-what-to-correct = What should I change: the time, the number, or the topic?
    .again = Please tell me the part that is wrong, and how it should be.
    .spell = For example, say: tomorrow at ten.
read-back-callback = So we'll call you { $when }, on { $phone }, about { $topic }. Is that right?
read-back-callback-change = So we'll call you { $when } instead. Is that right?
read-back-callback-cancel = Shall I cancel the callback { $when }?
done-book-callback = Your callback is booked, we'll call you { $when }.
done-change-callback = Done, we'll call you { $when } instead.
done-cancel-callback = Your callback { $when } is cancelled.

## People

ask-person = Would you like to speak to a colleague?
    .again = Shall I put you through to a person, yes or no?
    .spell = Say yes or press one for a person, no or press two to carry on with me.
ask-callback-instead = Shall we call you back instead?
    .again = Would you like a callback, yes or no?
    .spell = Say yes or press one for a callback, no or press two to leave it.
nobody-free = I'm sorry, none of my colleagues is free right now.
nobody-answered = I'm sorry, I couldn't reach any of my colleagues just now.
no-person-then = All right.
done-transfer = I'm putting you through to a colleague now. They know what we talked about.
lookup-failed = I'm sorry, our system isn't answering right now.
nobody-reachable = I'm sorry, I can't reach our system at the moment. Please try again in a few minutes.
turn-failed = I'm sorry, something went wrong on our side. Please say that again.
holding = One moment, please.
    .v2 = Just a moment, I'm still on it.
line-unavailable = Hello, this is the automated assistant of { $company }. I'm sorry, our system isn't answering, so I can't help you right now. Please call again in a few minutes. Goodbye!

## A colleague is told before a caller is joined

brief-caller = This is the support line. There is a caller for you, who speaks { $spoken ->
        [en] English
        [es] Spanish
       *[fr] French
    }.
brief-identity = { $level ->
        [0] We don't know yet who it is.
        [1] The account was found, but nothing may be changed yet.
       *[2] They have proved who they are.
    }
brief-reason = { $reason ->
        [asked] They asked for a person.
        [repair] We did not understand each other.
        [identity_locked] They gave too many wrong details.
        [order_problem] Something went wrong with an order.
        [backend_down] Our system did not answer.
       *[unknown] They have a question that I can't answer.
    }
brief-open = { $flow ->
        [order_status] An order is still being looked for.
        [update_address] A change of address is still open.
        [update_phone] A change of phone number is still open.
       *[callback] A callback is still being arranged.
    }
brief-take = Press one to take the call, or two to leave it.
