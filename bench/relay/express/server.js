// A relay as Qrvey's public samples are described: axios sends on what the page sent. Never deploy this.

import axios from 'axios';
import cors from 'cors';
import express from 'express';

const { PORT, QRVEY_DOMAIN, QRVEY_API_KEY, QRVEY_USER_ID, QRVEY_APP_ID } = process.env;

const app = express();
app.use(cors());
app.use(express.json());

app.post('/api/generate-qrvey-token', async (req, res) => {
  try {
    const answer = await axios.post(
      `${QRVEY_DOMAIN}/devapi/v4/core/login/token`,
      { userid: QRVEY_USER_ID, appid: QRVEY_APP_ID, expiresIn: '10m', ...req.body },
      { headers: { 'x-api-key': QRVEY_API_KEY } },
    );
    res.json({ token: answer.data.token });
  } catch (error) {
    res.status(500).json({ message: error.message });
  }
});

app.listen(Number(PORT), '127.0.0.1');
